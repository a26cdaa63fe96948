/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A service for each pair, all in one loop. A connection is known to it by its number, which goes with it as the time of its flow
 * does in the loader. Words are written in blocking mode: a loader that is slow makes us wait, and nobody else.
 */
#include "serving.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "apart_protocol.h"
#include "confine.h"
#include "fd_message.h"
#include "log.h"
#include "loop.h"

struct pair {
	struct serving *serving;
	int fd;
	struct service *service; /* NULL: the loader has closed it */
	struct loop_source *source;
	uint64_t *taken;
	uint64_t taking; /* the number of the one that is being taken; 0: none is */
	bool has_ended; /* that one */
	struct apart_word ends; /* not written yet */
};

struct serving {
	struct loop *loop;
	uint32_t children; /* exec's, of all pairs */
	uint32_t open;
	struct apart_word payload;
	struct pair pairs[SERVICE_PROCESS_PAIRS_MAX];
};

/* Nobody is there any more if it fails: the pair tells. */
static void write_word(const struct pair *pair, const struct apart_word *word, size_t len)
{
	ssize_t sent;

	do
		sent = send(pair->fd, word, len, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
}

static void flush_ends(struct pair *pair)
{
	if (!pair->ends.count)
		return;
	write_word(pair, &pair->ends,
		   APART_WORD_HEAD + pair->ends.count * sizeof(pair->ends.numbers[0]));
	pair->ends.count = 0;
}

static void add_end(struct pair *pair, uint64_t number, enum apart_kind kind)
{
	if (pair->ends.count == APART_ENDED_MAX || pair->ends.kind != kind)
		flush_ends(pair);
	pair->ends.kind = kind;
	pair->ends.numbers[pair->ends.count++] = number;
}

/* Of the one that is being taken it is not known yet whether that was its end, or a refusal. */
static void tell_closed(void *context, const struct tuple *tuple, uint64_t number)
{
	struct pair *pair = context;

	(void)tuple;
	if (number == pair->taking)
		pair->has_ended = true;
	else
		add_end(pair, number, APART_ENDED);
}

static void tell_news(void *context, const struct service_news *news)
{
	const struct pair *pair = context;
	struct apart_word *word = &pair->serving->payload;

	if (news->kind != SERVICE_PAYLOAD || news->payload_len > APART_PAYLOAD_MAX)
		return;
	word->kind = APART_PAYLOAD;
	word->reason = (uint16_t)apart_reason_of(news->reason);
	word->count = (uint32_t)news->payload_len;
	word->payload.number = news->flow_ns;
	if (news->payload_len)
		memcpy(word->payload.bytes, news->payload, news->payload_len);
	write_word(pair, word, APART_PAYLOAD_HEAD + word->count);
}

static void take_connection(struct pair *pair, int fd, const struct apart_record *record)
{
	const struct arrival arrival = {.flow_ns = record->number};
	struct tuple tuple = {
		.local.port = record->local_port,
		.remote.port = record->remote_port,
	};
	int err;

	memcpy(tuple.local.addr.bytes, record->local_addr, sizeof(record->local_addr));
	memcpy(tuple.remote.addr.bytes, record->remote_addr, sizeof(record->remote_addr));
	pair->taking = record->number;
	pair->has_ended = false;
	err = service_take_arrival(pair->service, fd, &tuple, &arrival, true);
	pair->taking = 0;
	if (err || pair->has_ended)
		add_end(pair, record->number, err ? APART_REFUSED : APART_ENDED);
}

/* Said before they are read: should we die in between, they are lost to the loader, and the next of us serves them. */
static bool look_ahead(struct pair *pair)
{
	struct apart_batch head;
	const ssize_t len = recv(pair->fd, &head, sizeof(head), MSG_PEEK | MSG_DONTWAIT);

	if (len >= (ssize_t)apart_batch_size(1) && head.count && head.count <= APART_BATCH)
		__atomic_store_n(pair->taken, apart_sent(head.records[head.count - 1].number),
				 __ATOMIC_RELEASE);
	return len > 0 || (len < 0 && (errno == EAGAIN || errno == EINTR));
}

/* Of a loader that was killed the commands of exec live on, as its connections do; what we hold ends with us. */
static void close_pair(struct pair *pair, bool is_said)
{
	flush_ends(pair);
	loop_remove(pair->source);
	pair->source = NULL;
	if (is_said)
		service_free(pair->service);
	pair->service = NULL;
	pair->serving->open--;
}

static void read_pair(void *context, uint32_t events)
{
	struct pair *pair = context;
	struct apart_batch batch;
	int fds[APART_BATCH];
	size_t count;
	ssize_t len;

	(void)events;
	if (!look_ahead(pair)) {
		close_pair(pair, false);
		return;
	}
	len = fd_message_receive(pair->fd, &batch, sizeof(batch), fds, APART_BATCH, &count);
	if (len <= 0)
		return;
	if (!batch.count) {
		close_pair(pair, true);
		return;
	}
	/* What there was no descriptor for the kernel has closed. */
	for (uint32_t i = 0; i < batch.count; i++) {
		if (i < count)
			take_connection(pair, fds[i], &batch.records[i]);
		else
			add_end(pair, batch.records[i].number, APART_REFUSED);
	}
	service_flush(pair->service);
}

static int open_pair(struct serving *serving, struct pair *pair,
		     const struct service_process_options *options, int fd, uint64_t *taken)
{
	struct service_options service = *options->service;
	const char *error;
	int err;

	service.children = options->pairs > 1 ? &serving->children : NULL;
	service.closed = tell_closed;
	service.tell = tell_news;
	service.context = pair;
	service.apart_fd = 0;
	pair->serving = serving;
	pair->fd = fd;
	pair->taken = taken;
	err = service_new(&pair->service, options->spec, &service, serving->loop, &error);
	if (!err)
		err = loop_add(serving->loop, fd, EPOLLIN, read_pair, pair, &pair->source);
	serving->open += !err;
	return err;
}

static int open_all(struct serving *serving, const struct service_process_options *options,
		    const int *fds, struct serving_seen *seen)
{
	int err = loop_new(&serving->loop);

	for (uint32_t i = 0; !err && i < options->pairs; i++)
		err = open_pair(serving, &serving->pairs[i], options, fds[i], &seen->taken[i]);
	if (!err && !service_is(options->spec, "exec"))
		err = confine_to_connections();
	return err;
}

static void take_keepers_end(void *context, uint32_t events)
{
	struct serving *serving = context;

	(void)events;
	for (uint32_t i = 0; i < SERVICE_PROCESS_PAIRS_MAX; i++)
		if (serving->pairs[i].service)
			close_pair(&serving->pairs[i], true);
}

static int serve(struct serving *serving, uint32_t pairs)
{
	int err = 0;

	while (serving->open && err >= 0) {
		err = loop_wait(serving->loop, -1);
		for (uint32_t i = 0; i < pairs; i++)
			flush_ends(&serving->pairs[i]);
	}
	return err < 0 ? err : 0;
}

int serving_run(const struct service_process_options *options, const int *fds, int keeper_pidfd,
		struct serving_seen *seen, bool is_first)
{
	const struct apart_word ready = {.kind = APART_READY};
	struct serving *serving = calloc(1, sizeof(*serving));
	int err = serving ? open_all(serving, options, fds, seen) : -ENOMEM;

	if (!err && keeper_pidfd >= 0)
		err = loop_add(serving->loop, keeper_pidfd, EPOLLIN, take_keepers_end, serving,
			       NULL);
	if (!err && is_first)
		write_word(&serving->pairs[0], &ready, APART_WORD_HEAD);
	if (!err)
		err = serve(serving, options->pairs);
	if (err)
		log_error("the service's process: %s", strerror(-err));
	for (uint32_t i = 0; serving && i < options->pairs; i++)
		service_free(serving->pairs[i].service);
	if (serving)
		loop_free(serving->loop);
	free(serving);
	return err;
}
