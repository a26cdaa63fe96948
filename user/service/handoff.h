/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A completed handshake becomes an ordinary kernel socket: TCP_REPAIR, in the one order that works. */
#ifndef NOLISTEN_HANDOFF_H
#define NOLISTEN_HANDOFF_H

#include <stdbool.h>
#include <stdint.h>

#include "engine.h"

struct handoff_options {
	uint32_t scope_id; /* the interface of link-local addresses */
	bool needs_freebind; /* local addresses that no interface has (IP_FREEBIND, ip(7)) */
};

/*
 * An ESTABLISHED, non-blocking, close-on-exec socket that has sent nothing; *fd. The peer's packets must be kept from
 * it until this returns. What fails is logged with its step; nothing is left then, and nothing was sent.
 */
int handoff_open(const struct engine_flow *flow, const struct handoff_options *options,
		 uint64_t now_ns, int *fd);

#endif
