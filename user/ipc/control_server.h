/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Answers the clients of the control socket from the loop. An answer is complete in memory before its first
 * byte leaves, and leaves as fast as the client reads: a slow client costs memory, never time. Above
 * CONTROL_SERVER_CLIENTS the oldest client is dropped. One descriptor is kept for a client who asks when there are no others.
 */
#ifndef NOLISTEN_CONTROL_SERVER_H
#define NOLISTEN_CONTROL_SERVER_H

#include "loop.h"

#define CONTROL_SERVER_CLIENTS 8

struct control_server;
struct control_answer;

/*
 * Give the answer to a command by control_answer_add(). 0, or -errno: the client is told
 * {"error":"..."} instead; -ENOENT: there is no such command.
 */
typedef int (*control_answer_fn)(void *context, const char *command, struct control_answer *answer);

/* One JSON text without a newline. -ENOMEM is kept: the client is told even if the result is ignored. */
int control_answer_add(struct control_answer *answer, const char *json);

/* listen_fd, from control_listen(), is the server's from now on, also on failure. */
int control_server_new(struct control_server **out, int listen_fd, struct loop *loop,
		       control_answer_fn fn, void *context);
void control_server_free(struct control_server *server);

#endif
