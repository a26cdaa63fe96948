/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Inside the opener: one active open, and how its socket is made. */
#ifndef NOLISTEN_OPENING_H
#define NOLISTEN_OPENING_H

#include "opener.h"
#include "raw_replay.h"
#include "raw_send.h"
#include "stand_in.h"
#include "tap.h"

struct opening {
	struct opener *opener;
	struct opening *next;
	struct opening_options options; /* the engine has borrowed options.syn */
	opening_fn fn;
	void *context;
	struct engine_flow *flow; /* NULL: the engine has forgotten it, and err says why */
	struct engine_flow last; /* what it was then */
	struct icmp_error icmp; /* by which it ended */
	bool has_icmp;
	struct stand_in stand_in;
	uint64_t deadline_ns; /* UINT64_MAX: none */
	bool has_crossed;
	int err; /* why there will be no socket */
	int fd; /* -1: there is none yet */
	uint64_t
		arrived; /* packets that the tap had got when the socket was there: those are to be looked at */
};

/* What carries its packets. */
struct opening_wire {
	struct tap *tap;
	struct raw_send *sender;
	struct raw_replay *replay;
	uint32_t ifindex; /* its socket is bound to it; 0: to none */
};

/* -errno, logged; what is open then is closed by opening_wire_close(). */
int opening_wire_open(struct opening_wire *wire, const struct opener_config *config);
void opening_wire_close(struct opening_wire *wire);

/* A packet that came in for it. */
struct opening_packet {
	const struct segment *segment;
	const struct tap_packet *tapped;
};

/* The handshake is complete: opening->fd, or opening->err and a RST to the remote. action: of the engine, on this packet. */
void opening_hand_off(struct opening *opening, const struct opening_wire *wire,
		      const struct engine_action *action, const struct opening_packet *packet);
/* What came before the socket was there. */
void opening_replay(const struct opening_wire *wire, const struct opening_packet *packet);

/*
 * Nothing is replayed any more: it is bound to its interface. Before, it would not be found by what is replayed, which comes in by
 * another, and the kernel's RST for that would end the connection. -errno.
 */
int opening_settle(const struct opening *opening, const struct opening_wire *wire);
/* A RST to the remote, and no socket. */
void opening_abort(struct opening *opening, const struct opening_wire *wire);

#endif
