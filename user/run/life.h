/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * When COMMAND is started, and what becomes of us when it ends: once; again (--restart); or whenever somebody connects (--on-demand).
 * Meanwhile its listeners are ours (see run_sockets.h), and the kernel queues connections there, for the next one.
 *
 * States. WAITING: nobody has connected, COMMAND does not run. DELAYED: the same after a failure, for some time whoever connects. RUNNING.
 * STOPPING: it has been sent the signal that ends it, and is expected to.
 */
#ifndef NOLISTEN_LIFE_H
#define NOLISTEN_LIFE_H

#include <stdbool.h>
#include <stdint.h>

#include "loop.h"
#include "run_sockets.h"
#include "supervisor.h"

enum life_restart {
	LIFE_RESTART_NO,
	LIFE_RESTART_ON_FAILURE, /* an exit status that is not 0 */
	LIFE_RESTART_ALWAYS,
};

struct life_options {
	bool is_on_demand;
	uint64_t idle_s; /* without connections; 0: it is not ended for that */
	enum life_restart restart;
	int stop_signal; /* that ends COMMAND */
	bool is_quiet;
	const char *name; /* of COMMAND, in messages */
	/*
	 * On demand, before COMMAND has ever listened: is_on: who connects is to wait; life_take_come() is called then. Else: they are
	 * to have what COMMAND has, or a RST. -errno, logged. NULL: there are listeners by then.
	 */
	int (*await)(void *context, bool is_on);
	/* All is over; once, in the loop. */
	void (*over)(void *context, int status);
	void *context;
};

struct life;

/* Does anything of it need parents? */
bool life_is_kept(const struct life_options *options);

/* supervisor: its callbacks are to call the functions below. */
int life_new(struct life **out, const struct life_options *options, struct supervisor *supervisor,
	     struct loop *loop);
void life_free(struct life *life);

/* Start, or wait for somebody. -errno, logged, and *status is what to end with. */
int life_begin(struct life *life, int *status);

/* Somebody waits who has connected before there was a listener. */
void life_take_come(struct life *life);
/* The plane has forgotten all that it was told. */
void life_await_again(struct life *life);

/* Of struct supervisor_options. life: NULL: it is being made. */
void life_take_end(struct life *life, int status);
void life_take_signal(struct life *life, int signal);
bool life_keeps(struct life *life, const struct run_socket *socket);

#endif
