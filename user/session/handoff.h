/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Connections between their final ACK and their kernel socket. Each waits with the packets that were held meanwhile, in
 * order; usually there is one, for ten microseconds.
 */
#ifndef NOLISTEN_HANDOFF_H
#define NOLISTEN_HANDOFF_H

#include <stdbool.h>
#include <stdint.h>

#include "engine.h"
#include "events.h"
#include "flows.h"
#include "loop.h"
#include "service.h"
#include "session.h"
#include "socket_maker.h"
#include "wire.h"

struct handoff;

/* Everything is borrowed. */
struct handoff_options {
	struct wire *wire;
	struct flows *flows;
	struct engine *engine;
	struct socket_maker *maker;
	struct loop *loop;
	struct service *service;
	struct events *events;
	struct session_stats *stats;
	packet_fn
		again; /* takes what belongs to the remote's next connection, from within handoff_work() */
	void *context;
};

int handoff_new(struct handoff **out, const struct handoff_options *options);
void handoff_free(struct handoff *handoff);

/* An established flow joins the list. reply: the final ACK of an active open, sent after the hand-off; or NULL. -ENOMEM. */
int handoff_add(struct handoff *handoff, struct engine_flow *flow, const struct segment *reply);
/* Not added, for want of a socket or of memory: the remote has to know, and the flow is over. err: -errno, says why. */
void handoff_abort(struct handoff *handoff, const struct engine_flow *flow, int err);
/* Keep a copy of a packet of a flow that was added. */
void handoff_store(struct handoff *handoff, const struct engine_flow *flow,
		   const struct held_packet *packet);
/* Put one packet back into the stack now. */
void handoff_replay(struct handoff *handoff, const struct held_packet *packet);

/*
 * Makes the sockets that handoff_work() would make. Data comes close behind the last ACK of a handshake: what is received in between
 * saves an attempt.
 */
void handoff_make_sockets(struct handoff *handoff, uint64_t now_ns);
/* One attempt for every flow of the list; those of which more packets are in the ring stay on it. */
void handoff_work(struct handoff *handoff, uint64_t now_ns);
/* While the loop is not run: the next attempt asks for every socket, connected or not. */
void handoff_ask_again(struct handoff *handoff);
bool handoff_is_empty(const struct handoff *handoff);
/* Is there more to do than to wait for sockets to become connected, of which the loop hears? */
bool handoff_has_work(const struct handoff *handoff);

#endif
