/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Method nfqueue: what comes in for an answered port and finds no kernel socket waits in a netfilter queue until we have
 * a copy, and is dropped there (NF_DROP). The kernel sees nothing of a handshake, so it sends no RST.
 */
#ifndef NOLISTEN_METHOD_NFQUEUE_H
#define NOLISTEN_METHOD_NFQUEUE_H

#include "bpfless.h"

int method_nfqueue_new(struct method_parts *out, const struct bpfless_options *options);

#endif
