/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Method raw: a tap receives, a raw socket answers, nothing is suppressed. The kernel's RST is out before user space has
 * seen the SYN; by how much, take_killed() tells.
 */
#ifndef NOLISTEN_METHOD_RAW_H
#define NOLISTEN_METHOD_RAW_H

#include "bpfless.h"

int method_raw_new(struct method_parts *out, const struct bpfless_options *options);

#endif
