/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "pipes.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* A segment's data takes a place of 4 KiB, however short it is; of the default 16 places few would be full. */
#define PIPE_SIZE (256 << 10)

int pipes_take(struct pipes *pipes, struct pipe_ends *out)
{
	int ends[2];

	if (pipes->count) {
		*out = pipes->kept[--pipes->count];
		return 0;
	}
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK))
		return -errno;
	/* Without it the default will do. */
	fcntl(ends[1], F_SETPIPE_SZ, PIPE_SIZE);
	*out = (struct pipe_ends){.read_fd = ends[0], .write_fd = ends[1]};
	return 0;
}

void pipes_give_back(struct pipes *pipes, const struct pipe_ends *ends)
{
	if (pipes->count == PIPES_KEPT)
		pipe_close(ends);
	else
		pipes->kept[pipes->count++] = *ends;
}

void pipe_close(const struct pipe_ends *ends)
{
	close(ends->read_fd);
	close(ends->write_fd);
}

void pipes_free(struct pipes *pipes)
{
	while (pipes->count)
		pipe_close(&pipes->kept[--pipes->count]);
}
