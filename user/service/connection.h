/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the services share: the kinds of service, a connection and its life. Seen by the services only. */
#ifndef NOLISTEN_CONNECTION_H
#define NOLISTEN_CONNECTION_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "service.h"

#define CONNECTION_SCRATCH_SIZE 65536

/* The head of what each kind keeps for a connection. */
struct connection {
	struct service *service;
	int fd; /* the watched descriptor, owned: the socket, or exec's pidfd */
	uint32_t events; /* what fd is watched for */
	bool is_opening; /* in connection_open(), which closes it if it is_over */
	bool is_over;
	struct tuple tuple; /* its local end may still be unknown: port 0 */
	uint64_t created_ns; /* CLOCK_MONOTONIC */
	uint64_t flow_ns; /* of its arrival */
	uint32_t method; /* as in struct arrival; 0: not known */
	struct loop_source *source;
	struct connection *previous, *next;
};

struct service_kind {
	const char *name;
	const char *form; /* how it is written: "banner:TEXT" */
	const char *meaning; /* in one line */
	const char *missing_argument; /* the error when there is none; NULL: the kind takes none */
	bool may_have_argument; /* or takes one if there is one */
	bool is_apart; /* may be had in another process: see apart.c */
	size_t connection_size; /* of the struct that starts with struct connection */
	bool wants_local; /* the tuple's local end */
	uint32_t events; /* watched for from the start, unless there is a start() */
	/* Understand the argument and keep it in service->settings; -EINVAL with *error, or -errno. */
	int (*configure)(struct service *service, const char *argument, const char **error);
	void (*forget)(struct service *service); /* free service->settings */
	/* Instead of watching connection->fd for events. -errno: the connection is closed and counted as refused. */
	int (*start)(struct connection *connection, const struct tuple *tuple);
	/* Something came; may close the connection. */
	void (*ready)(struct connection *connection);
	void (*stop)(struct connection *connection); /* free what is the kind's own */
	/* What was taken since the last call may be seen to together; NULL: nothing was left. */
	void (*flush)(struct service *service);
	/* Another service that serves some of its connections; NULL, or it gives NULL: none does. */
	const struct service *(*behind)(const struct service *service);
};

#define SERVICES(X)        \
	X(service_echo)    \
	X(service_discard) \
	X(service_hold)    \
	X(service_banner)  \
	X(service_exec) X(service_forward) X(service_record) X(service_tarpit) X(service_socket)

#define SERVICE_DECLARE(kind) extern const struct service_kind kind;
SERVICES(SERVICE_DECLARE)
extern const struct service_kind service_apart; /* in place of one that is had in another process */

struct service {
	const struct service_kind *kind;
	struct service_options options;
	struct loop *loop;
	struct connection *first;
	size_t active;
	uint64_t refused;
	struct service_stats stats;
	const struct arrival *arrival; /* of the connection that is being taken; NULL: not known */
	void *settings;
	/* What is read lands here first: a connection has a buffer of its own only while it cannot write. */
	uint8_t scratch[CONNECTION_SCRATCH_SIZE];
};

/* fd is the connection's from now on, also on failure (it is then closed). is_ready: see service_take_ready(). */
int connection_open(struct service *service, int fd, const struct tuple *tuple, bool is_ready);
void connection_close(struct connection *connection);

/* Tell of it, if somebody wants to know; news->tuple is filled in. */
void connection_tell(struct connection *connection, const struct service_news *news);

/* The local end of its tuple, if nobody has asked for it yet. */
void connection_find_local(struct connection *connection);

/* Watch connection->fd; later: for other events. */
int connection_watch(struct connection *connection, uint32_t events);
int connection_change(struct connection *connection, uint32_t events);

/* Neither waits. Bytes, or -errno (-EAGAIN: not now); read gives -ESHUTDOWN at the end of the stream. */
ssize_t connection_read(struct connection *connection);
ssize_t connection_write(struct connection *connection, const void *data, size_t len);
/* Read and forget some; at the end or an error, close. */
void connection_drain(struct connection *connection);

#endif
