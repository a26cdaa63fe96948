/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The ends of the demonstration's connections: processes of our own in one place of the lab. */
#ifndef NOLISTEN_ACTOR_H
#define NOLISTEN_ACTOR_H

#include <stdint.h>

#include "job.h"

#define ACTOR_SERVER_PORT 34567

/* What the actor does; the result is an errno. cue: write a byte when the others may go on, and read one to be told so. */
typedef int (*actor_fn)(uint16_t port, int cue);

struct actor {
	struct job job;
	int cue;
};

int actor_start(struct actor *actor, const struct lab *lab, enum lab_place place, actor_fn fn,
		uint16_t port);
int actor_await(struct actor *actor); /* the cue; -ECHILD if it ended without, -ETIMEDOUT, -EINTR */
/* It may go on, where it waits for that; -ECHILD if it has ended. */
int actor_release(struct actor *actor);
int actor_join(struct actor *actor); /* its result, an errno; ETIMEDOUT, EINTR: it was killed */

/* The client connects from that port to ACTOR_SERVER_PORT, and ends there: */
int actor_connect(uint16_t port, int cue);
/* or says hello, wants to hear it, and closes. */
int actor_greet(uint16_t port, int cue);
/* The server answers one SYN through a raw socket. */
int actor_answer_raw(uint16_t port, int cue);
/* A socket connects to itself, and hears what it says. */
int actor_meet_self(uint16_t port, int cue);
/* Both ends connect to each other from port to port. The client closes first. */
int actor_meet_server(uint16_t port, int cue);
int actor_meet_client(uint16_t port, int cue);

#endif
