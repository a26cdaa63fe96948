/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * record[:BYTES]: the first bytes of a connection become one event, then it is closed as banner closes: our end first, and then
 * what still comes is read and forgotten for a while, since closing with unread data would be a RST.
 *
 *	READING ── enough, the remote's end, or the time is up: the event ──► ENDING ── its end, or the time again ──► closed
 *
 * Nothing is kept for who sends nothing; the others have as much as they have sent, and never more than BYTES.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "connection.h"
#include "numbers.h"
#include "patience.h"

#define DEFAULT_BYTES 1024
#define MAX_BYTES 65536

_Static_assert(MAX_BYTES <= CONNECTION_SCRATCH_SIZE, "what is read at once has room");

struct recording {
	size_t max;
	struct patience patience;
};

struct record {
	struct connection connection;
	struct waiter waiter;
	uint8_t *bytes;
	size_t len;
	bool is_ending;
};

static struct recording *settings_of(const struct record *record)
{
	return record->connection.service->settings;
}

static void tell(struct record *record, const char *reason)
{
	const struct service_news news = {
		.kind = SERVICE_PAYLOAD,
		.payload = record->bytes,
		.payload_len = record->len,
		.reason = reason,
	};
	struct service_stats *stats = &record->connection.service->stats;

	stats->recorded++;
	stats->recorded_bytes += record->len;
	connection_tell(&record->connection, &news);
	free(record->bytes);
	record->bytes = NULL;
}

/* The event, and our end of it. */
static void finish(struct record *record, const char *reason)
{
	tell(record, reason);
	record->is_ending = true;
	patience_stop(&record->waiter);
	if (shutdown(record->connection.fd, SHUT_WR) ||
	    patience_begin(&settings_of(record)->patience, &record->waiter))
		connection_close(&record->connection);
}

static void take_time_up(struct waiter *waiter)
{
	struct record *record = (struct record *)((char *)waiter - offsetof(struct record, waiter));

	if (record->is_ending)
		connection_close(&record->connection);
	else
		finish(record, "time");
}

static int keep(struct record *record, const uint8_t *data, size_t len)
{
	const size_t room = settings_of(record)->max - record->len;
	uint8_t *grown;

	if (len > room)
		len = room;
	grown = realloc(record->bytes, record->len + len);
	if (!grown)
		return -ENOMEM;
	memcpy(grown + record->len, data, len);
	record->bytes = grown;
	record->len += len;
	return 0;
}

/* The remote's end, or its RST: what there was is told of in any case. */
static void take_end(struct record *record, int err)
{
	if (err == -ESHUTDOWN) {
		finish(record, "end");
		return;
	}
	tell(record, "reset");
	connection_close(&record->connection);
}

static void take_bytes(struct record *record)
{
	ssize_t len = connection_read(&record->connection);

	if (len == -EAGAIN)
		return;
	if (len < 0)
		take_end(record, (int)len);
	else if (keep(record, record->connection.service->scratch, (size_t)len))
		connection_close(&record->connection);
	else if (record->len == settings_of(record)->max)
		finish(record, "full");
}

static void record_ready(struct connection *connection)
{
	struct record *record = (struct record *)connection;

	if (record->is_ending)
		connection_drain(connection);
	else
		take_bytes(record);
}

static int record_start(struct connection *connection, const struct tuple *tuple)
{
	struct record *record = (struct record *)connection;
	int err = patience_begin(&settings_of(record)->patience, &record->waiter);

	(void)tuple;
	return err ?: connection_watch(connection, EPOLLIN);
}

static void record_stop(struct connection *connection)
{
	struct record *record = (struct record *)connection;

	patience_stop(&record->waiter);
	free(record->bytes);
}

static int record_configure(struct service *service, const char *argument, const char **error)
{
	struct recording *recording;
	uint64_t max = DEFAULT_BYTES;

	if (argument && !number_parse(argument, 1, MAX_BYTES, &max)) {
		*error = "record takes a number of bytes from 1 to 65536, as in record:1024";
		return -EINVAL;
	}
	recording = calloc(1, sizeof(*recording));
	if (!recording)
		return -ENOMEM;
	recording->max = max;
	patience_init(&recording->patience, service->loop, service->options.record_ns,
		      take_time_up);
	service->settings = recording;
	return 0;
}

static void record_forget(struct service *service)
{
	struct recording *recording = service->settings;

	if (!recording)
		return;
	patience_end(&recording->patience);
	free(recording);
}

const struct service_kind service_record = {
	.name = "record",
	.form = "record:BYTES",
	.meaning = "an event with the first BYTES that come (without :BYTES 1024), and close",
	.may_have_argument = true,
	.is_apart = true,
	.connection_size = sizeof(struct record),
	.configure = record_configure,
	.forget = record_forget,
	.start = record_start,
	.ready = record_ready,
	.stop = record_stop,
};
