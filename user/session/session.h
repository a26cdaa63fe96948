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
	struct socket_maker *maker;
	struct service *service;
	struct events *events; /* of the loop's thread */
	struct closing *closing; /* hears of the flows' end, perhaps in another thread */
	struct engine_config engine;
	uint64_t spin_ns; /* how long to poll after the last packet before sleeping */
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

void session_set_mtu(struct session *session, uint32_t mtu);
const struct session_stats *session_stats(const struct session *session);
uint32_t session_half_open(const struct session *session);

/* The MSS that an interface of this MTU advertises, by family. */
uint16_t session_mss_v4(uint32_t mtu);
uint16_t session_mss_v6(uint32_t mtu);

#endif
