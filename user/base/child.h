/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A command that runs under us, as env(1) runs one: our standard input and output, our terminal, our process group; what
 * signals us signals it.
 */
#ifndef NOLISTEN_CHILD_H
#define NOLISTEN_CHILD_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "loop.h"

#define CHILD_NOT_EXECUTABLE 126
#define CHILD_NOT_FOUND 127

struct child_options {
	const char *who; /* in messages: "guard" */
	/* All of these may be NULL. */
	int (*prepare)(void *context); /* in the child, before exec: -errno, logged */
	void (*ended)(void *context, int status);
	void (*heard)(void *context, int signal); /* one that is passed on, or would be */
	int kept_signal; /* only heard; 0: none */
	void *context;
};

struct child {
	struct child_options options;
	pid_t pid;
	int signal_fd, pid_fd; /* -1 before it is started */
	bool has_ended;
	int status; /* as a shell has it: the exit status, or 128 and the signal */

	struct loop_source *end_source;
	bool has_mask;
	sigset_t mask; /* that we were started with */
};

#define CHILD_INIT(...)                                                 \
	{                                                               \
		.options = {__VA_ARGS__}, .signal_fd = -1, .pid_fd = -1 \
	}

/*
 * Start it; from here on SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1 and SIGUSR2 are passed on, but for the terminal's own to a command of our
 * process group, which they reach anyway. 0, or -errno, logged, and *status is what to end with. May be started again after its end.
 */
int child_start(struct child *child, struct loop *loop, char **command, int *status);

#endif
