/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Theory of operation
 *
 * A connection waits in the queue of its application, goes from there into the pair, as many in one message as there are, and
 * is the application's once that has read the message. Between the two it is nobody's: the loader has closed its descriptor,
 * and the message holds the connection. Nobody tells when a message is read, so no connection costs a message back. Instead we
 * keep a copy of the application's end, by which we see how much is unread, how old it is, and read it ourselves when it
 * has become too old, or the application has died.
 */
#include <errno.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fd_message.h"
#include "log.h"
#include "passing_private.h"

void queue_init(struct queue *queue)
{
	*queue = (struct queue){.last = &queue->first};
}

void queue_append(struct queue *queue, struct waiting *waiting)
{
	waiting->next = NULL;
	*queue->last = waiting;
	queue->last = &waiting->next;
	queue->count++;
}

struct waiting *queue_take(struct queue *queue)
{
	struct waiting *waiting = queue->first;

	if (!waiting)
		return NULL;
	queue->first = waiting->next;
	if (!queue->first)
		queue->last = &queue->first;
	queue->count--;
	return waiting;
}

void queue_put_back(struct queue *queue, struct queue *front)
{
	if (!front->first)
		return;
	*front->last = queue->first;
	if (!queue->first)
		queue->last = front->last;
	queue->first = front->first;
	queue->count += front->count;
	queue_init(front);
}

bool application_wants(const struct application *application, const struct endpoint *local)
{
	if (!port_set_has(&application->ports, local->port))
		return false;
	for (size_t i = 0; i < application->prefix_count; i++)
		if (prefix_contains(&application->prefixes[i], &local->addr))
			return true;
	return !application->prefix_count;
}

struct application *application_find(struct passing *passing, const struct endpoint *local)
{
	struct application *away = NULL;

	for (struct application *one = passing->applications; one; one = one->next) {
		if (!application_wants(one, local))
			continue;
		if (!one->is_away)
			return one;
		away = one;
	}
	return away;
}

uint32_t application_in_flight(const struct application *application)
{
	int bytes;

	if (application->is_away || ioctl(application->kept_fd, SIOCINQ, &bytes) || bytes <= 0)
		return 0;
	return (uint32_t)bytes / (uint32_t)sizeof(struct app_record);
}

bool application_is_full(struct application *application)
{
	const uint32_t max = application->passing->service->options.queue_max;

	if (application->queue.count + application->in_flight < max)
		return false;
	application->in_flight = application_in_flight(application);
	return application->queue.count + application->in_flight >= max;
}

static void flush_again(void *context, uint32_t events)
{
	struct application *application = context;

	(void)events;
	loop_remove(application->writable);
	application->writable = NULL;
	application->is_blocked = false;
	application_flush(application);
}

/* Until it has read some, or until the time comes round: of what else is wrong nobody would tell. */
static void block(struct application *application, int err)
{
	struct service *service = application->passing->service;

	application->is_blocked = true;
	if (err == -EAGAIN && !application->writable)
		loop_add(service->loop, application->send_fd, EPOLLOUT, flush_again, application,
			 &application->writable);
	else if (err != -EAGAIN)
		log_debug("application %u: %s", application->number, strerror(-err));
}

/* A message of those that are first in the queue. */
static int send_batch(struct application *application, uint32_t count)
{
	struct app_batch batch = {.magic = APP_MAGIC, .count = count};
	const struct waiting *waiting = application->queue.first;
	int fds[APP_BATCH];

	for (uint32_t i = 0; i < count; i++, waiting = waiting->next) {
		batch.records[i] = waiting->record;
		fds[i] = waiting->connection.fd;
	}
	return fd_message_send(application->send_fd, &batch, app_batch_size(count), fds, count);
}

static void forget_given(struct application *application, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct waiting *waiting = queue_take(&application->queue);

		waiting->is_given = true;
		connection_close(&waiting->connection);
	}
	application->in_flight += count;
	application->passing->stats.passed += count;
}

void application_flush(struct application *application)
{
	while (application->queue.first && !application->is_blocked && !application->is_away) {
		const uint32_t all = application->queue.count;
		const uint32_t count = all < APP_BATCH ? all : APP_BATCH;
		int err = send_batch(application, count);

		if (err)
			block(application, err);
		else
			forget_given(application, count);
	}
}

static void tuple_of(const struct app_record *record, struct tuple *out)
{
	memcpy(out->local.addr.bytes, record->local_addr, sizeof(record->local_addr));
	memcpy(out->remote.addr.bytes, record->remote_addr, sizeof(record->remote_addr));
	out->local.port = record->local_port;
	out->remote.port = record->remote_port;
}

/* Descriptors are in the order of the records; for the last there may have been none. */
static void take_back(struct application *application, const struct app_batch *batch,
		      const int *fds, size_t count, struct queue *out)
{
	struct passing *passing = application->passing;
	struct tuple tuple;

	passing->stats.returned += batch->count;
	passing->returned_to = out;
	for (uint32_t i = 0; i < batch->count; i++) {
		if (i >= count) {
			passing->service->refused++;
			continue;
		}
		passing->returned = &batch->records[i];
		tuple_of(passing->returned, &tuple);
		if (connection_open(passing->service, fds[i], &tuple, false))
			passing->service->refused++;
	}
	passing->returned = NULL;
}

/* Is there a message, and has it waited since before then? */
static bool is_older(const struct application *application, uint64_t before_ns)
{
	struct app_batch head;
	const ssize_t len =
		recv(application->kept_fd, &head, app_batch_size(1), MSG_PEEK | MSG_DONTWAIT);

	return len == (ssize_t)app_batch_size(1) && head.records[0].since_ns < before_ns;
}

void application_recall(struct application *application, uint64_t before_ns)
{
	struct app_batch batch;
	int fds[APP_BATCH];
	struct queue back;
	size_t count;
	ssize_t len;

	queue_init(&back);
	while (is_older(application, before_ns)) {
		len = fd_message_receive(application->kept_fd, &batch, sizeof(batch), fds,
					 APP_BATCH, &count);
		/* The application was quicker. */
		if (len <= 0)
			break;
		take_back(application, &batch, fds, count, &back);
	}
	queue_put_back(&application->queue, &back);
	application->in_flight = application_in_flight(application);
}

void application_free(struct application *application)
{
	if (!application)
		return;
	loop_remove(application->writable);
	if (application->send_fd >= 0)
		close(application->send_fd);
	if (application->kept_fd >= 0)
		close(application->kept_fd);
	free(application->prefixes);
	free(application);
}
