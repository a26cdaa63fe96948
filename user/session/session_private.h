/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Inside the session: its state, and what its rounds and its actions know of each other. */
#ifndef NOLISTEN_SESSION_PRIVATE_H
#define NOLISTEN_SESSION_PRIVATE_H

#include "closing.h"
#include "handoff.h"
#include "session.h"

struct session {
	struct session_options options;
	struct wire *wire;
	struct flows *flows;
	struct socket_maker *maker;
	struct engine *engine;
	struct handoff *handoff;
	struct closing *closing;
	struct loop_source *wire_source;
	bool is_lent; /* the wire's descriptor is another's to accept at */
	bool has_connections; /* to be accepted: the loop has told */
	int accept_batch, accept_burst; /* to take at once; taken since the loop began to tell */
	int spare_fd; /* where connections are accepted, see accepting.c; else -1 */
	int reserved_fd; /* connections get lower ones; likewise */
	struct session_stats stats;
	uint64_t now_ns; /* of this round */
	uint64_t last_packet_ns;
	uint32_t short_gaps; /* before packets, since the last long one: see session.c */
	struct loop_source *shut_source; /* of a tarpit, see shutting.c */
	uint64_t next_look_ns;
	bool is_spinning;
	bool is_stopping;
	bool is_leaving; /* half-open flows are nobody's */
	bool is_deaf; /* what is held waits for another loader */
};

/* One held packet through the engine, and what comes of it. A packet_fn; context: the session. */
void acting_take_packet(void *context, const struct held_packet *packet);
/* What the engine wants done; packet: what made it, or NULL. */
void acting_on(struct session *session, struct engine_action *action,
	       const struct held_packet *packet);
/* Handshakes that the kernel won since the last look. */
void acting_end_killed(struct session *session);
/* created_ns: of the flow. */
void acting_emit(struct session *session, enum event_kind kind, const struct tuple *tuple,
		 uint64_t created_ns, const char *reason);

#endif
