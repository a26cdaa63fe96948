/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A command that runs under us, as env(1) runs one: our standard input and output, our terminal, our process group; what
 * signals us signals it.
 */
#ifndef NOLISTEN_CHILD_H
#define NOLISTEN_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "loop.h"

#define CHILD_NOT_EXECUTABLE 126
#define CHILD_NOT_FOUND 127

struct child {
	pid_t pid;
	int signal_fd, pid_fd;
	bool has_ended;
	int status; /* as a shell has it: the exit status, or 128 and the signal */
};

/*
 * Start it; from here on SIGINT, SIGTERM, SIGHUP and SIGQUIT are passed on, but for the terminal's own to a command of our
 * process group, which they reach anyway. 0, or -errno, logged, and *status is what to end with.
 */
int child_start(struct child *child, struct loop *loop, char **command, int *status);

#endif
