/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How the kernel socket of a flow comes to be: made at the end with what the handshake has agreed (repair.h), or made
 * at the start and connected by the handshake (connect_back.h). Of one session, in its thread.
 */
#ifndef NOLISTEN_SOCKET_MAKER_H
#define NOLISTEN_SOCKET_MAKER_H

#include <stdbool.h>
#include <stdint.h>

#include "engine.h"
#include "sockopts.h"
#include "wire.h"

/* Where the sockets are bound, and what is set on them. */
struct socket_place {
	uint32_t scope_id; /* the interface of link-local addresses */
	bool needs_freebind; /* local addresses that no interface has (IP_FREEBIND, ip(7)) */
	const struct sockopts *sockopts; /* NULL: nothing */
};

struct socket_maker;

/* In the order in which a flow sees them. All but take() and free() may be NULL: there is nothing to do. */
struct socket_maker_ops {
	/*
	 * A new half-open flow, which is in the flow table. has_time_wait: a TIME-WAIT socket has its 4-tuple and must
	 * go. -errno: it can have no socket, nothing is left.
	 */
	int (*begin)(struct socket_maker *maker, struct engine_flow *flow, bool has_time_wait);
	/* What the kernel has done goes into a half-open flow, before the engine judges a segment of it. */
	void (*refresh)(struct socket_maker *maker, struct engine_flow *flow);
	/* A reply of the engine, in the socket's terms. False: the socket sends it, or nobody should. */
	bool (*amend)(struct socket_maker *maker, struct engine_action *action);
	/* The flow is over before it had a socket: flow->making, if there is one, goes. */
	void (*forget)(struct socket_maker *maker, struct engine_flow *flow);
	/* All that are half-open, at once: before the gate is detached. */
	void (*forget_half_open)(struct socket_maker *maker);
	/* This packet completes the handshake. 1: it is to be replayed as well; 0: it has said all; -errno: it was lost. */
	int (*complete)(struct socket_maker *maker, struct engine_flow *flow,
			const struct held_packet *packet);
	/*
	 * The socket of a flow whose handshake is complete, non-blocking and close-on-exec; the caller's from now on.
	 * -EINPROGRESS: when *fd, which stays the maker's, is writable, ask again; -errno: there will be none, nothing is
	 * left, and nothing was sent.
	 */
	int (*take)(struct socket_maker *maker, struct engine_flow *flow, uint64_t now_ns, int *fd);
	/* The socket has got what was replayed, and is about to be the service's. */
	void (*settle)(struct socket_maker *maker, const struct engine_flow *flow, int fd);
	void (*free)(struct socket_maker *maker);
};

struct socket_maker {
	const struct socket_maker_ops *ops;
	/*
	 * What keeps the remote's packets from a socket until take() returns it; they are to be replayed then. Set by
	 * whoever makes the maker, as the wire has it.
	 */
	enum wire_shield shield;
};

bool socket_maker_lacks_descriptors(int err);
/* For people: why a flow can have no socket. otherwise: if it is not for want of descriptors. */
const char *socket_maker_refusal(int err, const char *otherwise);
void socket_maker_free(struct socket_maker *maker);

#endif
