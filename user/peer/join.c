/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Two one-way pipes with a buffer each, and poll(). Standard input and output are left as they are: O_NONBLOCK belongs to
 * the terminal, which others use too. So they are read and written only when poll() says that it will not block, and
 * written PIPE_BUF bytes at a time, for which that holds with pipes.
 */
#include "join.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER_SIZE 65536

struct pipe_way {
	int from, to;
	bool is_to_socket;
	bool has_ended; /* nothing will be read any more */
	bool is_done; /* and all that was read is written */
	bool is_broken; /* or cannot be: the connection is gone */
	size_t start, end; /* of what is in the buffer */
	char buffer[BUFFER_SIZE];
};

static bool is_empty(const struct pipe_way *way)
{
	return way->start == way->end;
}

static int read_more(struct pipe_way *way)
{
	ssize_t count = read(way->from, way->buffer, sizeof(way->buffer));

	if (count < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	/* A terminal that hung up, or a standard input that was never open. */
	if (count < 0 && way->is_to_socket && (errno == EIO || errno == EBADF))
		count = 0;
	if (count < 0)
		return -errno;
	way->has_ended = !count;
	way->start = 0;
	way->end = (size_t)count;
	return 0;
}

static ssize_t write_piece(const struct pipe_way *way)
{
	const char *data = way->buffer + way->start;
	const size_t len = way->end - way->start;

	if (way->is_to_socket)
		return send(way->to, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	return write(way->to, data, len < PIPE_BUF ? len : PIPE_BUF);
}

static int write_some(struct pipe_way *way)
{
	ssize_t count = write_piece(way);

	if (count < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	way->start += (size_t)count;
	return 0;
}

/* -1 in fd makes poll() leave it out; without events it tells of a broken connection only. */
static void set_polled(const struct pipe_way *way, struct pollfd polled[2])
{
	const bool is_reading = !way->has_ended && is_empty(way);
	const bool is_watched = way->is_to_socket && !way->is_done;

	polled[0] = (struct pollfd){.fd = is_reading ? way->from : -1, .events = POLLIN};
	polled[1] = (struct pollfd){.fd = is_watched || !is_empty(way) ? way->to : -1,
				    .events = is_empty(way) ? 0 : POLLOUT};
}

/* What came before the end can still be read, so this stops one way only. */
static void break_off(struct pipe_way *way)
{
	way->is_broken = way->is_done = way->has_ended = true;
	way->start = way->end = 0;
}

static int finish(struct pipe_way *way)
{
	way->is_done = true;
	if (!way->is_to_socket || !shutdown(way->to, SHUT_WR))
		return 0;
	/* The peer was faster: it has closed already. */
	return errno == ENOTCONN ? 0 : -errno;
}

static int move(struct pipe_way *way, const struct pollfd polled[2])
{
	int err = 0;

	if (way->is_to_socket && polled[1].revents & (POLLERR | POLLHUP))
		break_off(way);
	else if (polled[0].revents)
		err = read_more(way);
	else if (polled[1].revents)
		err = write_some(way);
	if (!err && way->has_ended && is_empty(way) && !way->is_done)
		err = finish(way);
	return err;
}

/* The peer has said all, and so have we: of what may be typed in an hour nobody knows. */
static bool is_at_end(const struct pipe_way *out, const struct pipe_way *in)
{
	return in->is_done && is_empty(out);
}

int join_socket(int fd, bool ends_with_peer)
{
	static struct pipe_way out, in;
	struct pollfd polled[4];
	int count, err = 0;

	out = (struct pipe_way){.from = STDIN_FILENO, .to = fd, .is_to_socket = true};
	in = (struct pipe_way){.from = fd, .to = STDOUT_FILENO};
	while (!err && !(out.is_done && in.is_done)) {
		set_polled(&out, &polled[0]);
		set_polled(&in, &polled[2]);
		count = poll(polled, 4, ends_with_peer && is_at_end(&out, &in) ? 0 : -1);
		if (!count)
			break;
		if (count < 0) {
			err = errno == EINTR ? 0 : -errno;
			continue;
		}
		err = move(&out, &polled[0]);
		if (!err)
			err = move(&in, &polled[2]);
	}
	return err ?: out.is_broken ? -EPIPE : 0;
}
