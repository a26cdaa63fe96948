/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One interface's handshakes: held packets to the engine, its replies to the wire, complete handshakes to kernel sockets
 * and these to the service. The only place that sees both the engine and the world.
 */
#ifndef NOLISTEN_SESSION_H
#define NOLISTEN_SESSION_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

#include <abi/abi.h>

#include "closing.h"
#include "counters.h"
#include "engine.h"
#include "events.h"
#include "flows.h"
#include "icmp_error.h"
#include "loop.h"
#include "service.h"
#include "socket_maker.h"
#include "wire.h"

struct session;

/* Everything is borrowed. */
struct session_options {
	struct loop *loop;
	struct wire *wire;
	struct flows *flows;
	struct socket_maker *maker; /* NULL where wire accepts: the kernel makes them */
	struct service *service;
	struct events *events; /* of the loop's thread */
	struct closing *
		closing; /* hears of the flows' end, perhaps in another thread; NULL where wire accepts */
	struct engine_config engine;
	bool is_first; /* of all that share the flow table */
	uint64_t spin_ns; /* how long to poll after the last packet, and what it asked for */
	uint64_t
		steady_spin_ns; /* the same, while packets come that often; not less than spin_ns */
};

int session_new(struct session **out, const struct session_options *options);
void session_free(struct session *session);

/* Work until session_stop(), called from a callback of the loop. */
int session_run(struct session *session);
void session_stop(struct session *session);
/* Take what is held and hand off what is complete, once; before the programs are detached. */
void session_drain(struct session *session);
/* Once more, when nothing is held any more; what is half-open then is forgotten, with no SYN-ACK sent again. */
void session_leave(struct session *session);

/*
 * For who takes over: what has been begun is finished, until end_ns (CLOCK_MONOTONIC) at the latest, and no packet is taken
 * from then on. Before session_leave().
 */
void session_let_go(struct session *session, uint64_t end_ns);

/* Where wire accepts: a connection that the service had is over. */
void session_closed(struct session *session, const struct tuple *tuple, uint64_t flow_ns);

/*
 * Where wire accepts: another has its descriptor as well, and the connections are his from now on. Not 0: there is nothing to
 * lend. Later: those still to come are ours again, at a descriptor that nobody else has had. What is queued at the old one is left to
 * him (is_left), or ours too, because he is gone. -errno: nothing has changed.
 */
int session_lend(struct session *session, int *fd);
int session_take_back(struct session *session, bool is_left);

/* An ICMP error about a segment that may have been ours. Within the loop. */
void session_take_icmp_error(struct session *session, const struct icmp_error *error);

void session_set(struct session *session, const struct engine_settings *settings);
const struct session_stats *session_stats(const struct session *session);
uint32_t session_half_open(const struct session *session);

#endif
