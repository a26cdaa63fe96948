/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * By splice(2) through a pipe, which holds the pages and not a copy. If there is no descriptor for a pipe, the data is copied, and
 * left where it is until it has been written: that takes neither descriptors nor memory.
 */
#include "stream.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#define TURN_ROUNDS 4 /* then others have their turn */
#define ROUND_SIZE (256u << 10)

static void leave_pipe(struct stream *stream, struct stream_tools *tools)
{
	if (!stream->has_pipe || stream->queued)
		return;
	pipes_give_back(&tools->pipes, &stream->pipe);
	stream->has_pipe = false;
}

/* 1: there is something in the pipe; 0: nothing more for now, or at all. */
static int fill(struct stream *stream)
{
	ssize_t len = splice(stream->from, NULL, stream->pipe.write_fd, NULL, ROUND_SIZE,
			     SPLICE_F_MOVE | SPLICE_F_NONBLOCK);

	if (len < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	stream->has_ended = !len;
	stream->queued = (uint32_t)len;
	return len > 0;
}

static int drain(struct stream *stream)
{
	while (stream->queued) {
		ssize_t len = splice(stream->pipe.read_fd, NULL, stream->to, NULL, stream->queued,
				     SPLICE_F_MOVE | SPLICE_F_NONBLOCK);

		stream->is_blocked = len < 0 && errno == EAGAIN;
		if (stream->is_blocked)
			return 0;
		if (len < 0 && errno != EINTR)
			return -errno;
		if (len > 0) {
			stream->queued -= (uint32_t)len;
			stream->bytes += (uint64_t)len;
		}
	}
	return 0;
}

/* As fill() and drain() in one. 1: there may be more. */
static int copy(struct stream *stream, const struct stream_tools *tools)
{
	ssize_t len =
		recv(stream->from, tools->scratch, tools->scratch_size, MSG_DONTWAIT | MSG_PEEK);
	ssize_t sent;

	stream->is_blocked = false;
	if (len < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	stream->has_ended = !len;
	if (!len)
		return 0;
	sent = send(stream->to, tools->scratch, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL);
	stream->is_blocked = sent < 0 && errno == EAGAIN;
	if (sent < 0)
		return stream->is_blocked || errno == EINTR ? 0 : -errno;
	stream->bytes += (uint64_t)sent;
	/* It is there, and nobody else reads. */
	return recv(stream->from, tools->scratch, (size_t)sent, MSG_DONTWAIT) == sent ? 1 : -EIO;
}

/* 1: there may be more; 0: not for now. */
static int move_round(struct stream *stream, struct stream_tools *tools)
{
	int result;

	if (!stream->has_pipe && pipes_take(&tools->pipes, &stream->pipe))
		return copy(stream, tools);
	stream->has_pipe = true;
	result = stream->queued ? 1 : fill(stream);
	if (result > 0)
		result = drain(stream) ?: !stream->queued;
	leave_pipe(stream, tools);
	return result;
}

static int pass_end(struct stream *stream)
{
	if (!stream->has_ended || stream->is_over)
		return 0;
	stream->is_over = true;
	return shutdown(stream->to, SHUT_WR) ? -errno : 0;
}

int stream_move(struct stream *stream, struct stream_tools *tools)
{
	int result = 1;

	for (int round = 0; round < TURN_ROUNDS && result > 0 && !stream->has_ended; round++)
		result = move_round(stream, tools);
	return result < 0 ? result : pass_end(stream);
}

bool stream_wants_write(const struct stream *stream)
{
	return stream->is_blocked;
}

bool stream_wants_read(const struct stream *stream)
{
	return !stream->has_ended && !stream->is_blocked;
}

void stream_free(struct stream *stream)
{
	if (stream->has_pipe)
		pipe_close(&stream->pipe);
	stream->has_pipe = false;
}
