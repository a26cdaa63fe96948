/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Theory of operation
 *
 * A service that talks to strangers has a process of its own (user/apart), which has no privilege. Here, in its place, is who sends
 * connections there, by the batch, and closes its own descriptor; what stays is an entry, until the process says that
 * the connection is over: so all that counts, lists and awaits connections goes on as it does with a service in this process.
 *
 * When the process dies, its keeper starts another, which reads on where it was, and says how far that was: what had been read before
 * is over. When the keeper goes as well, whoever is left and whoever comes gets a RST; the loader ends then.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "apart_protocol.h"
#include "connection.h"
#include "fd_message.h"
#include "log.h"

#define QUEUE_MAX 1024 /* connections that the process has no room for */
#define RETRY_MS 100
#define GOODBYE_MS 1000 /* that it has to make room for the last word */
#define TURN_WORDS 64 /* then others have their turn */

struct entrusted {
	struct connection connection;
	struct entrusted *next; /* in the queue */
	uint64_t number; /* 0: not sent yet */
};

struct apart {
	struct service *service;
	int fd; /* to the process */
	bool is_gone;
	struct loop_source *source;
	bool is_blocked; /* it has to read first */
	bool awaits_room; /* the loop tells when it has */
	struct loop_source *retry; /* NULL: nothing has failed */
	bool has_complained;
	uint64_t sent;
	struct entrusted *first, **last; /* that wait to be sent */
	uint32_t queued;
	struct entrusted **places; /* of those that were sent */
	uint32_t *free_places; /* a stack */
	uint32_t place_count, free_count;
	struct apart_word word; /* that is being read */
};

static void reset_at_close(int fd)
{
	const struct linger at_once = {.l_onoff = 1};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

static int grow_places(struct apart *apart)
{
	const uint32_t count = apart->place_count ? apart->place_count * 2 : 64;
	struct entrusted **places;
	uint32_t *free_places;

	if (count > APART_PLACES)
		return -ENOSPC;
	places = realloc(apart->places, count * sizeof(*places));
	if (places)
		apart->places = places;
	free_places = realloc(apart->free_places, count * sizeof(*free_places));
	if (free_places)
		apart->free_places = free_places;
	if (!places || !free_places)
		return -ENOMEM;
	for (uint32_t i = count; i-- > apart->place_count;) {
		apart->places[i] = NULL;
		apart->free_places[apart->free_count++] = i;
	}
	apart->place_count = count;
	return 0;
}

static void leave_place(struct apart *apart, struct entrusted *entrusted)
{
	const uint32_t place = apart_place(entrusted->number);

	apart->places[place] = NULL;
	apart->free_places[apart->free_count++] = place;
	entrusted->number = 0;
}

/* NULL: it is over, was not sent yet, or the process makes it up. */
static struct entrusted *find(const struct apart *apart, uint64_t number)
{
	const uint32_t place = apart_place(number);
	struct entrusted *there = place < apart->place_count ? apart->places[place] : NULL;

	return there && there->number == number && there->connection.fd < 0 ? there : NULL;
}

/* Of those that were sent. */
static void end_all(struct apart *apart, uint64_t up_to)
{
	struct connection *one = apart->service->first, *next;

	for (; one; one = next) {
		struct entrusted *entrusted = (struct entrusted *)one;

		next = one->next;
		if (one->fd < 0 && apart_sent(entrusted->number) <= up_to)
			connection_close(one);
	}
}

static void drop_queue(struct apart *apart)
{
	while (apart->first) {
		struct entrusted *entrusted = apart->first;

		apart->first = entrusted->next;
		apart->service->refused++;
		connection_close(&entrusted->connection);
	}
	apart->last = &apart->first;
	apart->queued = 0;
}

static void take_loss(struct apart *apart)
{
	loop_remove(apart->source);
	apart->source = NULL;
	apart->is_gone = true;
	end_all(apart, UINT64_MAX);
	drop_queue(apart);
}

static void tell_payload(struct apart *apart, const struct apart_word *word)
{
	struct entrusted *entrusted = find(apart, word->payload.number);
	const struct service_news news = {
		.kind = SERVICE_PAYLOAD,
		.payload = word->payload.bytes,
		.payload_len = word->count,
		.reason = apart_reason_text(word->reason),
	};

	if (!entrusted)
		return;
	apart->service->stats.recorded++;
	apart->service->stats.recorded_bytes += word->count;
	connection_tell(&entrusted->connection, &news);
}

static void take_ends(struct apart *apart, const struct apart_word *word)
{
	for (uint32_t i = 0; i < word->count; i++) {
		struct entrusted *entrusted = find(apart, word->numbers[i]);

		if (!entrusted)
			continue;
		apart->service->refused += word->kind == APART_REFUSED;
		connection_close(&entrusted->connection);
	}
}

static void take_word(struct apart *apart, size_t len)
{
	const struct apart_word *word = &apart->word;

	if (!apart_word_check(word, len)) {
		if (!apart->has_complained)
			log_warning("the process that has the service says what is no word of it");
		apart->has_complained = true;
		return;
	}
	switch (word->kind) {
	case APART_ENDED:
	case APART_REFUSED:
		take_ends(apart, word);
		break;
	case APART_PAYLOAD:
		tell_payload(apart, word);
		break;
	case APART_DIED:
		end_all(apart, apart_sent(word->numbers[0]));
		break;
	}
}

static void flush_queue(struct apart *apart);

static void hear(void *context, uint32_t events)
{
	struct apart *apart = context;
	ssize_t len = 1;

	(void)events;
	for (int i = 0; i < TURN_WORDS && len > 0; i++) {
		len = recv(apart->fd, &apart->word, sizeof(apart->word), MSG_DONTWAIT | MSG_TRUNC);
		if (len > 0)
			take_word(apart, (size_t)len);
	}
	if (!len || (len < 0 && errno != EAGAIN && errno != EINTR)) {
		take_loss(apart);
		return;
	}
	apart->is_blocked = false;
	if (apart->first || apart->awaits_room)
		flush_queue(apart);
}

static void write_record(const struct entrusted *entrusted, struct apart_record *record)
{
	const struct tuple *tuple = &entrusted->connection.tuple;

	*record = (struct apart_record){
		.number = entrusted->number,
		.local_port = tuple->local.port,
		.remote_port = tuple->remote.port,
	};
	memcpy(record->local_addr, tuple->local.addr.bytes, sizeof(record->local_addr));
	memcpy(record->remote_addr, tuple->remote.addr.bytes, sizeof(record->remote_addr));
}

/* Of those that are first in the queue; their places are theirs whether it can be sent or not. */
static uint32_t fill_batch(struct apart *apart, struct apart_batch *batch, int fds[APART_BATCH])
{
	struct entrusted *entrusted = apart->first;
	uint32_t count = 0;

	for (; entrusted && count < APART_BATCH; entrusted = entrusted->next) {
		if (!entrusted->number) {
			uint32_t place;

			if (!apart->free_count && grow_places(apart))
				break;
			place = apart->free_places[--apart->free_count];
			entrusted->number = apart_number(++apart->sent, place);
			apart->places[place] = entrusted;
		}
		write_record(entrusted, &batch->records[count]);
		fds[count++] = entrusted->connection.fd;
	}
	batch->count = count;
	return count;
}

/* They are the process's. */
static void forget_sent(struct apart *apart, uint32_t count)
{
	while (count--) {
		struct entrusted *entrusted = apart->first;

		apart->first = entrusted->next;
		if (!apart->first)
			apart->last = &apart->first;
		apart->queued--;
		close(entrusted->connection.fd);
		entrusted->connection.fd = -1;
	}
}

static void retry(void *context, uint32_t events)
{
	struct apart *apart = context;

	(void)events;
	loop_remove(apart->retry);
	apart->retry = NULL;
	if (apart->first)
		flush_queue(apart);
}

static void flush_queue(struct apart *apart)
{
	struct apart_batch batch = {0};
	int fds[APART_BATCH], err = 0;

	while (apart->first && !apart->is_blocked && !err) {
		const uint32_t count = fill_batch(apart, &batch, fds);

		err = count ? fd_message_send(apart->fd, &batch, apart_batch_size(count), fds,
					      count)
			    : -ENOBUFS;
		if (!err)
			forget_sent(apart, count);
	}
	apart->is_blocked = err == -EAGAIN;
	/* -ETOOMANYREFS and its like, of which nobody tells when it is over. */
	if (err && !apart->is_blocked && !apart->retry)
		loop_add_timer(apart->service->loop, RETRY_MS, retry, apart, &apart->retry);
	if (apart->is_blocked != apart->awaits_room && apart->source) {
		apart->awaits_room = apart->is_blocked;
		loop_change(apart->source, apart->is_blocked ? EPOLLIN | EPOLLOUT : EPOLLIN);
	}
}

static int apart_start(struct connection *connection, const struct tuple *tuple)
{
	struct entrusted *entrusted = (struct entrusted *)connection;
	struct apart *apart = connection->service->settings;

	(void)tuple;
	if (apart->is_gone || apart->queued >= QUEUE_MAX)
		return apart->is_gone ? -ECONNREFUSED : -ENOBUFS;
	*apart->last = entrusted;
	apart->last = &entrusted->next;
	apart->queued++;
	return 0;
}

static void apart_flush(struct service *service)
{
	struct apart *apart = service->settings;

	if (apart->first)
		flush_queue(apart);
}

/* Nothing is watched. */
static void apart_ready(struct connection *connection)
{
	(void)connection;
}

/* One that was never sent is nobody's, and its remote is told. */
static void apart_stop(struct connection *connection)
{
	struct entrusted *entrusted = (struct entrusted *)connection;

	if (connection->fd >= 0)
		reset_at_close(connection->fd);
	if (entrusted->number)
		leave_place(connection->service->settings, entrusted);
}

/* Without it the commands of exec would live on, as those of a loader that was killed. */
static void say_goodbye(const struct apart *apart)
{
	static const struct apart_batch goodbye;
	struct pollfd room = {.fd = apart->fd, .events = POLLOUT};
	const size_t size = apart_batch_size(0);

	if (fd_message_send(apart->fd, &goodbye, size, NULL, 0) == -EAGAIN &&
	    poll(&room, 1, GOODBYE_MS) > 0)
		fd_message_send(apart->fd, &goodbye, size, NULL, 0);
}

static void apart_forget(struct service *service)
{
	struct apart *apart = service->settings;

	if (!apart)
		return;
	loop_remove(apart->source);
	loop_remove(apart->retry);
	say_goodbye(apart);
	shutdown(apart->fd, SHUT_RDWR);
	free(apart->places);
	free(apart->free_places);
	free(apart);
}

/* The argument is the process's. */
static int apart_configure(struct service *service, const char *argument, const char **error)
{
	struct apart *apart = calloc(1, sizeof(*apart));

	(void)argument;
	(void)error;
	if (!apart)
		return -ENOMEM;
	service->settings = apart;
	apart->service = service;
	apart->fd = service->options.apart_fd;
	apart->last = &apart->first;
	return loop_add(service->loop, apart->fd, EPOLLIN, hear, apart, &apart->source);
}

const struct service_kind service_apart = {
	.may_have_argument = true,
	.connection_size = sizeof(struct entrusted),
	.wants_local = true,
	.configure = apart_configure,
	.forget = apart_forget,
	.start = apart_start,
	.ready = apart_ready,
	.stop = apart_stop,
	.flush = apart_flush,
};
