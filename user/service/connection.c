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

#include "clock.h"

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

/* What is there is taken before the loop is asked to tell of more. True: and that was all, the connection is over. */
static bool is_over_at_once(struct connection *connection)
{
	connection->events = connection->service->kind->events;
	connection->is_opening = true;
	connection->service->kind->ready(connection);
	connection->is_opening = false;
	return connection->is_over;
}

/* 1: it is over already. */
static int start(struct connection *connection, const struct tuple *tuple, bool is_ready)
{
	const struct service_kind *kind = connection->service->kind;

	if (kind->start)
		return kind->start(connection, tuple);
	if (!is_ready || !(kind->events & EPOLLIN))
		return connection_watch(connection, kind->events);
	if (is_over_at_once(connection))
		return 1;
	return connection_watch(connection, connection->events);
}

int connection_open(struct service *service, int fd, const struct tuple *tuple, bool is_ready)
{
	struct connection *connection = calloc(1, service->kind->connection_size);
	int err;

	if (!connection) {
		close(fd);
		return -ENOMEM;
	}
	connection->service = service;
	connection->fd = fd;
	connection->tuple = *tuple;
	connection->created_ns = clock_monotonic_ns();
	connection->flow_ns = service->arrival ? service->arrival->flow_ns : 0;
	connection->method = service->arrival ? service->arrival->method : 0;
	link_connection(service, connection);
	err = start(connection, tuple, is_ready);
	if (err)
		connection_close(connection);
	return err < 0 ? err : 0;
}

void connection_find_local(struct connection *connection)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);

	if (!connection->tuple.local.port &&
	    !getsockname(connection->fd, (struct sockaddr *)&address, &len))
		endpoint_from_sockaddr((struct sockaddr *)&address, &connection->tuple.local);
}

void connection_tell(struct connection *connection, const struct service_news *news)
{
	const struct service_options *options = &connection->service->options;
	struct service_news copy = *news;

	if (!options->tell)
		return;
	connection_find_local(connection);
	copy.tuple = &connection->tuple;
	copy.method = connection->method;
	copy.flow_ns = connection->flow_ns;
	options->tell(options->context, &copy);
}

static void tell_closed(const struct connection *connection)
{
	const struct service_options *options = &connection->service->options;

	if (options->closed)
		options->closed(options->context, &connection->tuple, connection->flow_ns);
}

void connection_close(struct connection *connection)
{
	const struct service_kind *kind = connection->service->kind;

	if (connection->is_opening) {
		connection->is_over = true;
		return;
	}
	loop_forget(connection->source);
	if (kind->stop)
		kind->stop(connection);
	if (connection->fd >= 0)
		close(connection->fd);
	tell_closed(connection);
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
	/* Not watched yet: it will be for these. */
	return connection->source ? loop_change(connection->source, events) : 0;
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
