/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* socket:PATH: connections wait here for the application that has asked for them; see application.c. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "passing_private.h"
#include "syn_print.h"

#define TICK_MS 100

_Static_assert(APP_SYN_OPTIONS == SYN_PRINT_OPTIONS, "one is copied to the other");

static int socket_configure(struct service *service, const char *argument, const char **error)
{
	struct service_options options = service->options;
	struct passing *passing;
	struct socket_spec spec;
	int err = socket_spec_parse(argument, &spec, error);

	if (err)
		return err;
	passing = calloc(1, sizeof(*passing));
	if (!passing)
		return -ENOMEM;
	passing->service = service;
	service->settings = passing;
	options.fallback = NULL;
	/* What an application has is not over when we have done with it. */
	service->options.closed = NULL;
	if (!service->options.fallback)
		return 0;
	return service_new(&passing->fallback, service->options.fallback, &options, service->loop,
			   error);
}

static void socket_forget(struct service *service)
{
	struct passing *passing = service->settings;
	struct application *application;

	if (!passing)
		return;
	while ((application = passing->applications)) {
		passing->applications = application->next;
		application_free(application);
	}
	loop_remove(passing->timer);
	service_free(passing->fallback);
	free(passing);
}

static void reset_at_close(int fd)
{
	const struct linger at_once = {.l_onoff = 1};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

/* connection->fd is nobody's then, or closed with the connection. */
static void leave_it(struct passing *passing, struct connection *connection, uint64_t *counter)
{
	const struct arrival arrival = {
		.method = connection->method,
		.flow_ns = connection->flow_ns,
	};
	struct tuple tuple = connection->tuple;
	int fd = connection->fd;

	if (!passing->fallback) {
		++*counter;
		return;
	}
	connection->fd = -1;
	passing->stats.fallen_back++;
	service_take_arrival(passing->fallback, fd, &tuple, &arrival, false);
	service_flush(passing->fallback);
}

void passing_give_up(struct passing *passing, struct waiting *waiting, uint64_t *counter)
{
	leave_it(passing, &waiting->connection, counter);
	connection_close(&waiting->connection);
}

static void expire(struct passing *passing, struct application *application, uint64_t before_ns)
{
	struct queue *queue = &application->queue;

	if (!application->is_away)
		application_recall(application, before_ns);
	while (queue->first && queue->first->record.since_ns < before_ns)
		passing_give_up(passing, queue_take(queue), &passing->stats.queue_expired);
}

static void tick(void *context, uint32_t events)
{
	struct passing *passing = context;
	const uint64_t now_ns = clock_monotonic_ns(), age_ns = passing->service->options.queue_ns;
	bool is_anything = false;

	(void)events;
	for (struct application *one = passing->applications; one; one = one->next) {
		one->is_blocked = one->writable;
		expire(passing, one, now_ns > age_ns ? now_ns - age_ns : 0);
		application_flush(one);
		is_anything |= one->queue.first || application_in_flight(one);
	}
	if (is_anything)
		return;
	loop_remove(passing->timer);
	passing->timer = NULL;
}

void passing_watch_time(struct passing *passing)
{
	if (!passing->timer)
		loop_add_timer(passing->service->loop, TICK_MS, tick, passing, &passing->timer);
}

static void write_record(struct waiting *waiting, const struct arrival *arrival)
{
	const struct tuple *tuple = &waiting->connection.tuple;
	const struct syn_print *syn = arrival ? arrival->syn : NULL;
	struct app_record *record = &waiting->record;

	memcpy(record->local_addr, tuple->local.addr.bytes, sizeof(record->local_addr));
	memcpy(record->remote_addr, tuple->remote.addr.bytes, sizeof(record->remote_addr));
	record->local_port = tuple->local.port;
	record->remote_port = tuple->remote.port;
	record->since_ns = waiting->connection.created_ns;
	record->method = arrival ? (uint16_t)arrival->method : 0;
	if (!syn)
		return;
	record->has_syn = 1;
	record->syn_ttl = syn->ttl;
	record->syn_window = syn->window;
	record->syn_mss = syn->mss;
	record->syn_wscale = syn->wscale;
	record->syn_option_count = syn->option_count;
	memcpy(record->syn_options, syn->options, sizeof(record->syn_options));
}

/* The age goes on as it was. */
static int start_returned(struct passing *passing, struct waiting *waiting)
{
	waiting->record = *passing->returned;
	waiting->connection.created_ns = waiting->record.since_ns;
	queue_append(passing->returned_to, waiting);
	return 0;
}

/* 1: the fallback has it, and here it is over. */
static int turn_away(struct passing *passing, struct connection *connection, uint64_t *counter,
		     int err)
{
	leave_it(passing, connection, counter);
	return passing->fallback ? 1 : err;
}

static int socket_start(struct connection *connection, const struct tuple *tuple)
{
	struct waiting *waiting = (struct waiting *)connection;
	struct passing *passing = connection->service->settings;
	struct application *application;

	if (passing->returned)
		return start_returned(passing, waiting);
	application = application_find(passing, &tuple->local);
	if (!application)
		return turn_away(passing, connection, &passing->stats.not_asked, -ECONNREFUSED);
	if (application_is_full(application))
		return turn_away(passing, connection, &passing->stats.queue_full, -ENOBUFS);
	write_record(waiting, connection->service->arrival);
	queue_append(&application->queue, waiting);
	return 0;
}

static void socket_flush(struct service *service)
{
	struct passing *passing = service->settings;

	if (!service->first)
		return;
	for (struct application *one = passing->applications; one; one = one->next)
		application_flush(one);
	passing_watch_time(passing);
}

/* Nothing is watched. */
static void socket_ready(struct connection *connection)
{
	(void)connection;
}

/* Nobody has it, and nobody will: its remote is told. */
static void socket_stop(struct connection *connection)
{
	if (!((struct waiting *)connection)->is_given && connection->fd >= 0)
		reset_at_close(connection->fd);
}

static const struct service *socket_behind(const struct service *service)
{
	return ((const struct passing *)service->settings)->fallback;
}

const struct service_kind service_socket = {
	.name = "socket",
	.form = "socket:PATH",
	.meaning = "an application that asks for it at this unix socket; see nolisten(3)",
	.missing_argument = "socket needs a path, as in socket:/run/nolisten.sock",
	.connection_size = sizeof(struct waiting),
	.wants_local = true,
	.configure = socket_configure,
	.forget = socket_forget,
	.start = socket_start,
	.ready = socket_ready,
	.stop = socket_stop,
	.flush = socket_flush,
	.behind = socket_behind,
};
