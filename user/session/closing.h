/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Handed-off flows until they are forgotten: hears of their sockets' end from the flow table or sock_diag, keeps the flow for a grace so
 * that late data meets the kernel and its RST gets out, then removes it. It lives in one thread's loop; what sessions
 * tell it may come from others.
 */
#ifndef NOLISTEN_CLOSING_H
#define NOLISTEN_CLOSING_H

#include <stdint.h>

#include "addr.h"
#include "events.h"
#include "flows.h"
#include "loop.h"
#include "ports.h"

struct closing;

/* Everything is borrowed. */
struct closing_options {
	struct loop *loop;
	struct flows *flows;
	struct events *events; /* of the loop's thread */
	uint32_t ifindex; /* of the flows */
	const struct port_set *ports; /* sockets of other local ports are none of ours */
};

int closing_new(struct closing **out, const struct closing_options *options);
void closing_free(struct closing *closing);
/* What is there to hear, without waiting. Nothing is done for another loop than its own, nor for sock_diag, which wakes it. */
void closing_poll(struct closing *closing, const struct loop *loop);
/*
 * A new flow has taken the place of an old one whose socket is gone: that one is closed, and the word of it yet to come.
 * events: of the calling thread.
 */
void closing_replaced(struct closing *closing, const struct tuple *tuple,
		      const struct nol_flow *old, struct events *events);
/* The same where somebody else tells of its end. */
void closing_owes(struct closing *closing, const struct tuple *tuple);
/* The table is full: up to count flows in their grace are forgotten early, the oldest first. */
void closing_make_room(struct closing *closing, uint32_t count);
/*
 * Once a second while no service has a connection: so many were handed off. If fewer have ended for some seconds, it is looked which have ended
 * without a word. Not while there are connections, which would wait for that.
 */
void closing_compare(struct closing *closing, uint64_t handed_off);
/* How many connections have been closed so far. */
uint64_t closing_count(const struct closing *closing);
/* Of these, how many nobody has told of: they were found by a look. */
uint64_t closing_unheard(const struct closing *closing);

#endif
