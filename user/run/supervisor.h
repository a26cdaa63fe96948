/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * COMMAND, under the filter, and who answers its calls. One thread: an answer takes some microseconds, and what is asked about is rare.
 *
 * COMMAND is sent SIGTERM when its supervisor dies, however that dies: its calls would fail with ENOSYS.
 */
#ifndef NOLISTEN_SUPERVISOR_H
#define NOLISTEN_SUPERVISOR_H

#include <stdbool.h>

#include "loop.h"
#include "plane.h"
#include "ports.h"
#include "run_sockets.h"
#include "run_user.h"

struct supervisor_options {
	char **command;
	const struct port_set *ports; /* NULL: all */
	const char *interfaces; /* NULL: all */
	const struct run_user *user; /* NULL: ours */
	bool needs_descriptors; /* as the plane's */
	bool is_quiet;
	/* COMMAND has ended, and so has all that it has left behind. */
	void (*ended)(void *context, int status);
	bool (*is_kept)(void *context, const struct run_socket *socket); /* see run_sockets.h */
	void (*heard)(void *context, int signal); /* see struct child_options; may be NULL */
	int kept_signal; /* likewise */
	bool are_passed; /* COMMAND is started with all that is kept */
	int (*prepare)(void *context); /* in the child, as its user, before exec; may be NULL */
	void *context;
};

struct supervisor;

/* Everything is borrowed. */
int supervisor_new(struct supervisor **out, const struct supervisor_options *options,
		   struct plane *plane, struct loop *loop);
/* Start COMMAND; once more after it has ended. 0, or -errno, logged, and *status is what to end with. */
int supervisor_start(struct supervisor *supervisor, int *status);
struct run_sockets *supervisor_sockets(const struct supervisor *supervisor);
/* Has it been started, and is any of it left? */
bool supervisor_is_running(const struct supervisor *supervisor);
/* To COMMAND, or to what it has left behind. */
void supervisor_signal(struct supervisor *supervisor, int signal_number);
void supervisor_free(struct supervisor *supervisor);

#endif
