/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Connections between their final ACK and their kernel socket. Each waits with the packets that were held meanwhile, in
 * order; usually there is one, for ten microseconds.
 */
#ifndef NOLISTEN_HANDOVER_H
#define NOLISTEN_HANDOVER_H

#include <stdbool.h>
#include <stdint.h>

#include "connect_back.h"
#include "engine.h"
#include "events.h"
#include "handoff.h"
#include "packet_io.h"
#include "service.h"
#include "session.h"

struct handover;

/* Everything is borrowed. */
struct handover_options {
	struct packet_io *io;
	struct engine *engine;
	struct connect_back *connect_back; /* NULL but for method connect */
	struct loop *loop;
	struct service *service;
	struct events *events;
	struct handoff_options socket;
	struct session_stats *stats;
	packet_fn
		again; /* takes what belongs to the remote's next connection, from within handover_work() */
	void *context;
};

int handover_new(struct handover **out, const struct handover_options *options);
void handover_free(struct handover *handover);

/* An established flow joins the list. reply: the final ACK of an active open, sent after the hand-off; or NULL. -ENOMEM. */
int handover_add(struct handover *handover, struct engine_flow *flow, const struct segment *reply);
/* Method connect: the flow that was just added has a socket, which becomes connected in a moment; it is owned from now on. */
void handover_join(struct handover *handover, const struct engine_flow *flow, int fd);
/* Keep a copy of a packet of a flow that was added. */
void handover_store(struct handover *handover, const struct engine_flow *flow,
		    const struct held_packet *packet);
/* Put one packet back into the stack now. */
void handover_replay(struct handover *handover, const struct held_packet *packet);

/* One attempt for every flow of the list; those of which more packets are in the ring stay on it. */
void handover_work(struct handover *handover, uint64_t now_ns);
bool handover_is_empty(const struct handover *handover);
/* Is there more to do than to wait for sockets to become connected, of which the loop hears? */
bool handover_has_work(const struct handover *handover);

#endif
