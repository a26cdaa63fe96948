/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A completed handshake becomes an ordinary kernel socket: TCP_REPAIR, in the one order that works. */
#ifndef NOLISTEN_REPAIR_H
#define NOLISTEN_REPAIR_H

#include <stdint.h>

#include "socket_maker.h"

struct cwnd;

/* cwnd: borrowed; NULL: what starts slowly has a small window only (first_flight.h). -ENOMEM. */
int repair_new(struct socket_maker **out, const struct socket_place *place, enum wire_shield shield,
	       struct cwnd *cwnd);

/*
 * One socket: ESTABLISHED, non-blocking, close-on-exec, it has sent nothing; *fd. What fails is logged with its step;
 * nothing is left then, and nothing was sent.
 */
int repair_open(const struct engine_flow *flow, const struct socket_place *place,
		enum wire_shield shield, uint64_t now_ns, int *fd);

#endif
