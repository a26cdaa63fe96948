/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * echo: sends back what comes, and closes when the remote has ended and all is written. What cannot be
 * written is kept, and nothing more is read until it is gone: the remote's own window is the back-pressure.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "connection.h"

struct echo {
	struct connection connection;
	uint8_t *pending; /* NULL: nothing; then we read, else we write */
	uint32_t start, end; /* of at most CONNECTION_SCRATCH_SIZE bytes */
};

static int keep(struct echo *echo, const uint8_t *data, size_t len)
{
	echo->pending = malloc(len);
	if (!echo->pending)
		return -ENOMEM;
	memcpy(echo->pending, data, len);
	echo->start = 0;
	echo->end = len;
	return connection_change(&echo->connection, EPOLLOUT);
}

static int write_pending(struct echo *echo)
{
	ssize_t sent = connection_write(&echo->connection, echo->pending + echo->start,
					echo->end - echo->start);

	if (sent < 0)
		return sent;
	echo->start += sent;
	if (echo->start < echo->end)
		return 0;
	free(echo->pending);
	echo->pending = NULL;
	return connection_change(&echo->connection, EPOLLIN);
}

/* One buffer a turn, so that a fast remote cannot starve the others. */
static int copy(struct echo *echo)
{
	const uint8_t *data = echo->connection.service->scratch;
	ssize_t len = connection_read(&echo->connection);
	ssize_t sent;

	if (len < 0)
		return len;
	sent = connection_write(&echo->connection, data, len);
	if (sent == -EAGAIN)
		sent = 0;
	if (sent < 0)
		return sent;
	return sent < len ? keep(echo, data + sent, len - sent) : 0;
}

static void echo_ready(struct connection *connection)
{
	struct echo *echo = (struct echo *)connection;
	int err = echo->pending ? write_pending(echo) : copy(echo);

	if (err && err != -EAGAIN)
		connection_close(connection);
}

static void echo_stop(struct connection *connection)
{
	free(((struct echo *)connection)->pending);
}

const struct service_kind service_echo = {
	.name = "echo",
	.form = "echo",
	.meaning = "send back what comes",
	.connection_size = sizeof(struct echo),
	.events = EPOLLIN,
	.ready = echo_ready,
	.stop = echo_stop,
};
