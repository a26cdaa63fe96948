/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How a method meets the wire: where handshake packets come from, where replies go, and what the kernel is
 * told of each flow. One small table of functions; the session above it knows no method.
 */
#ifndef NOLISTEN_PACKET_IO_H
#define NOLISTEN_PACKET_IO_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nolisten/abi.h>

#include "addr.h"
#include "segment.h"

/* What a SYN cookie agreed to, for the packet that brought it back. */
struct held_cookie {
	uint16_t mss; /* the remote's, rounded down */
	bool has_wscale, has_sack, has_timestamps;
	uint8_t wscale; /* the remote's shift count */
	uint32_t ts_offset; /* see nol_cookie */
};

/* A packet that was kept from the kernel. */
struct held_packet {
	const uint8_t *frame; /* valid during the call */
	uint32_t frame_len; /* bytes at hand */
	uint32_t l3_offset; /* where the IP header starts; 0 on L3 devices */
	uint32_t l4_offset; /* where the TCP header starts; more than l3_offset */
	bool is_whole; /* false: cut, cannot be replayed */
	uint64_t held_ns; /* CLOCK_MONOTONIC */
	uint32_t held; /* its number among the held packets of its flow; 0: not counted */
	bool has_time_wait; /* a SYN that replaces a TIME-WAIT socket, whose SND.NXT follows */
	uint32_t time_wait_snd_nxt;
	bool is_turned; /* method connect: it went on to the kernel as a SYN-ACK, see struct nol_back */
	/*
	 * It completes a handshake by this cookie. held is 1 and the flow is open already; or 0, and it is
	 * still to be opened, because the table was full. NULL: no cookie. Valid during the call.
	 */
	const struct held_cookie *cookie;
};

/*
 * What keeps the remote's packets from a kernel socket that is being made. It must see none before it knows its options:
 * a FIN would end the state in which they can be set, an answer would go without them.
 */
enum packet_shield {
	PACKET_SHIELD_HOLD, /* they are held until the hand-off */
	PACKET_SHIELD_DEAF, /* the socket drops what comes: copies of all are in our queue */
	PACKET_SHIELD_TRANSPARENT, /* the socket is transparent (IP_TRANSPARENT): what finds such a one is queued */
};

typedef void (*packet_fn)(void *context, const struct held_packet *packet);

/* A handshake that the kernel's RST ended before our SYN-ACK left. */
struct killed_flow {
	struct tuple tuple;
	uint64_t first_by_ns; /* how much earlier the RST left */
};

typedef bool (*flow_fn)(void *context, const struct tuple *tuple, const struct nol_flow *flow);

struct packet_io;

struct packet_io_ops {
	enum nol_method method;
	enum packet_shield shield;
	/* From now on handshakes are answered; everything that the host is changed by happens here. Errors are logged. */
	int (*attach)(struct packet_io *io);
	/* The host is as before; flows and counters stay readable. */
	void (*detach)(struct packet_io *io);
	/* What is answered; each prefix is added once. */
	int (*add_prefix)(struct packet_io *io, const struct prefix *prefix);
	int (*remove_prefix)(struct packet_io *io, const struct prefix *prefix);
	void (*set_mtu)(struct packet_io *io, uint32_t mtu);
	/* The counters that the method has; others are 0. */
	int (*read_stats)(struct packet_io *io, struct nol_stats *out);
	/* Up to max packets, without waiting; their number or -errno. */
	int (*receive)(struct packet_io *io, uint32_t max, packet_fn fn, void *context);
	/* Queue a segment of ours; flush() sends what is queued. -errno names why one cannot leave. */
	int (*send)(struct packet_io *io, const struct segment *segment);
	int (*flush)(struct packet_io *io);
	/* Somebody polls (no wake-up needed), or is about to sleep. */
	void (*set_spinning)(struct packet_io *io, bool is_spinning);
	/*
	 * From now on the flow's packets are held: before the SYN-ACK leaves. A flow in its grace is replaced; 1: and
	 * so was one whose kernel socket is gone without a word of it yet.
	 * -E2BIG: the table is full; -EALREADY: a kernel socket has the 4-tuple, the SYN was held just before.
	 */
	int (*open_flow)(struct packet_io *io, const struct tuple *tuple, uint64_t now_ns);
	/* Put a held packet back into the stack, in order. */
	int (*replay)(struct packet_io *io, const struct held_packet *packet);
	/* From now on the flow is the kernel's. -EAGAIN: more than held packets were held; receive and replay them first. */
	int (*hand_off_flow)(struct packet_io *io, const struct tuple *tuple, uint32_t held);
	/* The same, whatever was held. NULL: all that hand_off_flow() waits for is certain to come. */
	void (*force_flow)(struct packet_io *io, const struct tuple *tuple);
	/* Its kernel socket is gone: the grace begins. -ENOENT: no flow of ours was handed off there. */
	int (*close_flow)(struct packet_io *io, const struct tuple *tuple);
	/* Was it handed off? Then a packet that was held before the flow was known is the kernel's. */
	bool (*is_handed_off)(struct packet_io *io, const struct tuple *tuple);
	/* Who answered the SYN of a flow that was handed off; NULL: always `method`. */
	enum nol_method (*flow_method)(struct packet_io *io, const struct tuple *tuple);
	/* The flow is over without a socket, or its grace is: only_closed spares a new connection in its place. */
	void (*forget_flow)(struct packet_io *io, const struct tuple *tuple, bool only_closed);
	/* fn for every flow until it returns false. Number or -errno. */
	int (*visit_flows)(struct packet_io *io, flow_fn fn, void *context);
	/* The next handshake that the kernel won, once each; NULL: the method keeps the kernel quiet. */
	bool (*take_killed)(struct packet_io *io, struct killed_flow *out);
	/* Becomes readable when there is something to receive. */
	int (*fd)(const struct packet_io *io);
	void (*free)(struct packet_io *io);
};

/* The first member of every method's own struct. */
struct packet_io {
	const struct packet_io_ops *ops;
};

#endif
