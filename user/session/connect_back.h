/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Method connect: a half-open flow has a kernel socket that connect()s back to the remote, whose SYN was held. The
 * programs turn its SYN into the SYN-ACK, and the remote's ACK into the SYN-ACK that it waits for (struct nol_back).
 * The engine follows the handshake and answers what is odd; the socket answers what is not.
 */
#ifndef NOLISTEN_CONNECT_BACK_H
#define NOLISTEN_CONNECT_BACK_H

#include <stdbool.h>
#include <stdint.h>

#include "engine.h"
#include "handoff.h"
#include "kern.h"
#include "packet_io.h"

struct connect_back;
struct half_open; /* what flow->owner is until the flow is taken */

/* kern and io are borrowed. */
struct connect_back_options {
	struct kern *kern;
	struct packet_io *io;
	struct handoff_options socket;
	uint8_t syn_retries; /* TCP_SYNCNT */
	bool is_loopback;
};

int connect_back_new(struct connect_back **out, const struct connect_back_options *options);
/* Half-open sockets end without a word. */
void connect_back_free(struct connect_back *backs);

/*
 * The socket of a new half-open flow, which keeps it in flow->owner: its SYN is on the way, as a SYN-ACK. The flow has
 * to be in the flow table. has_time_wait: a TIME-WAIT socket has the 4-tuple and must go. -errno: nothing is left.
 */
int connect_back_open(struct connect_back *backs, struct engine_flow *flow, bool has_time_wait);
/* The flow is over, or was taken: socket and table entry go, as far as they are there. */
void connect_back_forget(struct connect_back *backs, struct engine_flow *flow);
/* All half-open sockets at once: before the programs are detached, or bare SYNs would get out. */
void connect_back_forget_all(struct connect_back *backs);

/* For people: why connect_back_open() failed. */
const char *connect_back_refusal(int err);

/*
 * What the socket's SYN has offered and sent goes into the flow, before the engine judges a segment of it. Only into
 * a half-open one; NULL is legal.
 */
void connect_back_refresh(struct connect_back *backs, struct engine_flow *flow);
/*
 * A reply of the engine, in the socket's terms: its timestamp, its MSS. False: not to be sent, since the socket sends
 * the first SYN-ACK and those that time asks for; a repeated SYN is answered by the engine.
 */
bool connect_back_amend(struct connect_back *backs, struct engine_action *action);

/* The handshake is complete: the socket, which is the caller's from now on and may not know it yet. */
int connect_back_take(struct connect_back *backs, struct half_open *half_open);
/* The SYN-ACK for the socket, where the programs have not made it of the segment that completed the handshake. */
int connect_back_inject(struct connect_back *backs, const struct engine_flow *flow,
			const struct held_packet *packet);
/* Has it data or a FIN for the socket? A bare ACK that became a SYN-ACK, here or there, has said all. */
bool connect_back_needs_replay(const struct held_packet *packet);
/* 0: the socket is connected; -EINPROGRESS: not yet; else why it will never be. */
int connect_back_result(int fd);
/* It is connected: it becomes an ordinary socket. */
void connect_back_settle(struct connect_back *backs, const struct tuple *tuple, int fd);

#endif
