/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Handed-off flows until they are forgotten: hears of their sockets' end from sock_diag, keeps the flow for a grace so
 * that late data meets the kernel and its RST gets out, then removes it.
 */
#ifndef NOLISTEN_CLOSING_H
#define NOLISTEN_CLOSING_H

#include <stdint.h>

#include "addr.h"
#include "loop.h"
#include "packet_io.h"
#include "ports.h"

struct closing;

/* The kernel socket of this flow is gone; the flow is in its grace from now on. */
typedef void (*closing_fn)(void *context, const struct tuple *tuple);

struct closing_options {
	struct loop *loop;
	struct packet_io *io;
	uint32_t ifindex; /* of the flows */
	const struct port_set *ports; /* sockets of other local ports are none of ours */
	closing_fn fn;
	void *context;
};

int closing_new(struct closing **out, const struct closing_options *options);
void closing_free(struct closing *closing);
/* A new flow has taken the place of one whose socket is gone: that one is closed, and the word of it yet to come. */
void closing_replaced(struct closing *closing, const struct tuple *tuple);
/* The table is full: up to count flows in their grace are forgotten early, the oldest first. */
void closing_make_room(struct closing *closing, uint32_t count);

#endif
