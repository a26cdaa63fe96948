/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A completed handshake becomes an ordinary kernel socket: TCP_REPAIR, in the one order that works. */
#ifndef NOLISTEN_HANDOFF_H
#define NOLISTEN_HANDOFF_H

#include <stdbool.h>
#include <stdint.h>

#include "engine.h"
#include "packet_io.h"

struct handoff_options {
	uint32_t scope_id; /* the interface of link-local addresses */
	bool needs_freebind; /* local addresses that no interface has (IP_FREEBIND, ip(7)) */
	enum packet_shield shield; /* the method's */
};

/*
 * An ESTABLISHED, non-blocking, close-on-exec socket that has sent nothing; *fd. The shield keeps the remote's packets
 * from it until this returns; they are to be replayed then. What fails is logged with its step; nothing is left then, and nothing was sent.
 */
int handoff_open(const struct engine_flow *flow, const struct handoff_options *options,
		 uint64_t now_ns, int *fd);

#endif
