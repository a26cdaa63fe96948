/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The wire of the methods with BPF: XDP holds, a ring delivers, a raw socket answers, a packet socket replays. */
#ifndef NOLISTEN_WIRE_RING_H
#define NOLISTEN_WIRE_RING_H

#include "kern.h"
#include "replay.h"
#include "wire.h"

/* kern is borrowed, and has been told of the method (method_bpf.h), whose tag replaces the one in options. -errno. */
int wire_ring_new(struct wire **out, struct kern *kern, uint32_t worker,
		  const struct replay_options *options);

#endif
