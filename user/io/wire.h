/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where a worker's handshake packets come from and where its segments go. One thread calls all of it. */
#ifndef NOLISTEN_WIRE_H
#define NOLISTEN_WIRE_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <abi/terms.h>

#include "addr.h"
#include "segment.h"

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
	 * It completes a handshake by a cookie, on these terms. held is 1 and the flow is open already; or 0, and
	 * it is still to be opened, because the table was full.
	 */
	bool has_cookie;
	struct nol_terms terms;
};

/*
 * What keeps the remote's packets from a kernel socket that is being made. It must see none before it knows its options:
 * a FIN would end the state in which they can be set, an answer would go without them.
 */
enum wire_shield {
	WIRE_SHIELD_HOLD, /* they are held until the hand-off */
	WIRE_SHIELD_DEAF, /* the socket drops what comes: copies of all are in our queue */
	WIRE_SHIELD_TRANSPARENT, /* the socket is transparent (IP_TRANSPARENT): what finds such a one is queued */
};

typedef void (*packet_fn)(void *context, const struct held_packet *packet);

/* A handshake that the kernel's RST ended before our SYN-ACK left. */
struct killed_flow {
	struct tuple tuple;
	uint64_t first_by_ns; /* how much earlier the RST left */
};

/* A connection that the kernel has made by itself. */
struct accepted {
	int fd; /* the taker's, close-on-exec, in blocking mode */
	struct tuple tuple; /* the local end is left at port 0, see local_of() */
};

struct wire;

struct wire_ops {
	enum wire_shield shield;
	/* Up to max packets, without waiting; their number or -errno. */
	int (*receive)(struct wire *wire, uint32_t max, packet_fn fn, void *context);
	/* Queue a segment of ours; flush() sends what is queued. -errno names why one cannot leave. */
	int (*send)(struct wire *wire, const struct segment *segment);
	int (*flush)(struct wire *wire);
	/* Put a held packet back into the stack, in order. */
	int (*replay)(struct wire *wire, const struct held_packet *packet);
	void (*set_mtu)(struct wire *wire, uint32_t mtu);
	/* Somebody polls (no wake-up needed), or is about to sleep. NULL: a socket wakes nobody who does not sleep. */
	void (*set_spinning)(struct wire *wire, bool is_spinning);
	/* The next handshake that the kernel won, once each; NULL: the method keeps the kernel quiet. */
	bool (*take_killed)(struct wire *wire, struct killed_flow *out);
	/* The next connection; -EAGAIN: there is none now; -EMFILE and the like: it stays. NULL: all come by receive(). */
	int (*accept)(struct wire *wire, struct accepted *out);
	/*
	 * With accept(): connections still to come, at another descriptor. is_kept: what is queued at the old one comes first;
	 * else it is left to who has it.
	 */
	int (*renew)(struct wire *wire, bool is_kept);
	/* Becomes readable when there is something to receive. */
	int (*fd)(const struct wire *wire);
	void (*free)(struct wire *wire); /* NULL: it goes with its gate */
};

struct wire {
	const struct wire_ops *ops;
};

void wire_free(struct wire *wire);
/* Which of our addresses and ports a socket is connected at: a system call that not everybody needs. -errno. */
int wire_local_of(int fd, struct endpoint *out);

#endif
