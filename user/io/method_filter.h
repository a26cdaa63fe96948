/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Method filter: a tap receives, a raw socket answers, a table of nftables keeps the kernel's RSTs in. No BPF at all. */
#ifndef NOLISTEN_METHOD_FILTER_H
#define NOLISTEN_METHOD_FILTER_H

#include "bpfless.h"

int method_filter_new(struct method_parts *out, const struct bpfless_options *options);

#endif
