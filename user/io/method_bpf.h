/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Gate and flow table of the methods with BPF: auto, xdp, engine, connect. */
#ifndef NOLISTEN_METHOD_BPF_H
#define NOLISTEN_METHOD_BPF_H

#include "kern.h"
#include "method_parts.h"

/*
 * kern is borrowed, and told of the method. kind: NOL_METHOD_ENGINE, who answers where XDP does not, or
 * NOL_METHOD_CONNECT. out->wire is NULL: wire_ring.h makes one for each worker. -errno.
 */
int method_bpf_new(struct method_parts *out, struct kern *kern, enum nol_method kind,
		   uint32_t ifindex);

#endif
