/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The life of a served connection. The socket may be in blocking mode, which saves a system call for each
 * connection: every read and write says MSG_DONTWAIT instead.
 */
#include "connection.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void deliver(void *context, uint32_t events)
{
	struct connection *connection = context;

	/* What came shows when the kind reads or writes; errors included. */
	(void)events;
	connection->service->kind->ready(connection);
}

static void link_connection(struct service *service, struct connection *connection)
{
	connection->next = service->first;
	if (service->first)
		service->first->previous = connection;
	service->first = connection;
	service->active++;
}

static void unlink_connection(struct connection *connection)
{
	struct service *service = connection->service;

	if (connection->previous)
		connection->previous->next = connection->next;
	else
		service->first = connection->next;
	if (connection->next)
		connection->next->previous = connection->previous;
	service->active--;
}

static int start(struct connection *connection, const struct tuple *tuple)
{
	const struct service_kind *kind = connection->service->kind;

	if (kind->start)
		return kind->start(connection, tuple);
	return connection_watch(connection, kind->events);
}

int connection_open(struct service *service, int fd, const struct tuple *tuple)
{
	struct connection *connection = calloc(1, service->kind->connection_size);
	int err;

	if (!connection) {
		close(fd);
		return -ENOMEM;
	}
	connection->service = service;
	connection->fd = fd;
	link_connection(service, connection);
	err = start(connection, tuple);
	if (err)
		connection_close(connection);
	return err;
}

void connection_close(struct connection *connection)
{
	const struct service_kind *kind = connection->service->kind;

	loop_remove(connection->source);
	if (kind->stop)
		kind->stop(connection);
	if (connection->fd >= 0)
		close(connection->fd);
	unlink_connection(connection);
	free(connection);
}

int connection_watch(struct connection *connection, uint32_t events)
{
	connection->events = events;
	return loop_add(connection->service->loop, connection->fd, events, deliver, connection,
			&connection->source);
}

int connection_change(struct connection *connection, uint32_t events)
{
	if (connection->events == events)
		return 0;
	connection->events = events;
	return loop_change(connection->source, events);
}

static ssize_t receive(struct connection *connection, int flags)
{
	ssize_t len = recv(connection->fd, connection->service->scratch, CONNECTION_SCRATCH_SIZE,
			   MSG_DONTWAIT | flags);

	if (len > 0)
		return len;
	return len ? -errno : -ESHUTDOWN;
}

ssize_t connection_read(struct connection *connection)
{
	return receive(connection, 0);
}

ssize_t connection_write(struct connection *connection, const void *data, size_t len)
{
	ssize_t sent = send(connection->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);

	return sent < 0 ? -errno : sent;
}

void connection_drain(struct connection *connection)
{
	/* MSG_TRUNC: TCP throws the data away without copying it. */
	ssize_t len = receive(connection, MSG_TRUNC);

	if (len < 0 && len != -EAGAIN)
		connection_close(connection);
}
