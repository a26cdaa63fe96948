/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One direction between two connected sockets, both non-blocking: what is read on one is written on the other, and so is
 * the end. While the other takes nothing, nothing more is read: the window is the back-pressure.
 */
#ifndef NOLISTEN_STREAM_H
#define NOLISTEN_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "pipes.h"

/* What all of a service's streams share. */
struct stream_tools {
	struct pipes pipes;
	uint8_t *scratch; /* borrowed: where there is no pipe */
	size_t scratch_size;
};

struct stream {
	int from, to; /* borrowed */
	bool has_pipe;
	struct pipe_ends pipe; /* only while it holds something */
	uint32_t queued; /* in the pipe */
	bool is_blocked; /* what has come has no room */
	bool has_ended; /* it was read to the end */
	bool is_over; /* and that has been passed on */
	uint64_t bytes; /* that were written */
};

/* As much as goes in one turn. 0, or -errno of either socket. SIGPIPE has to be ignored. */
int stream_move(struct stream *stream, struct stream_tools *tools);
bool stream_wants_read(const struct stream *stream);
bool stream_wants_write(const struct stream *stream);
/* What is in its pipe is lost. */
void stream_free(struct stream *stream);

#endif
