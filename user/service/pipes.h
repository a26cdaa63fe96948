/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Pipes for splice(2): one is needed while data is on its way, so that connections share a few. */
#ifndef NOLISTEN_PIPES_H
#define NOLISTEN_PIPES_H

#include <stddef.h>

#define PIPES_KEPT 16

struct pipe_ends {
	int read_fd, write_fd;
};

/* Those that are empty and nobody has. */
struct pipes {
	struct pipe_ends kept[PIPES_KEPT];
	size_t count;
};

/* Non-blocking; -errno: no descriptors are left. */
int pipes_take(struct pipes *pipes, struct pipe_ends *out);
void pipes_give_back(struct pipes *pipes, const struct pipe_ends *ends); /* an empty one */
void pipe_close(const struct pipe_ends *ends);
void pipes_free(struct pipes *pipes);

#endif
