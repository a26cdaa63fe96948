/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Events as lines of text and of JSON. Threads do not meet over each line: a thread's own events are staged and go
 * to the outputs by the batch.
 */
#include "events.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "eve.h"
#include "event_output.h"
#include "event_text.h"
#include "log.h"

#define STAGED_SIZE (32u << 10)

/* The outputs, and whose turn it is. */
struct writer {
	struct eve_origin origin;
	pthread_mutex_t lock;
	struct event_output json, human;
};

/* Lines of one thread that are not with the writer yet. */
struct staged {
	size_t len;
	char *text; /* NULL: lines go to the writer at once */
};

struct events {
	struct writer *writer;
	bool is_owner; /* of the writer */
	struct staged json, human;
	uint64_t time_s; /* of time: the date is computed anew once a second only */
	char time[CLOCK_TEXT_SIZE];
};

static const char *const kind_texts[] = {
	[EVENT_SYN] = "syn",
	[EVENT_ESTABLISHED] = "established",
	[EVENT_HANDED_OFF] = "handed_off",
	[EVENT_CLOSED] = "closed",
	[EVENT_RESET] = "reset",
	[EVENT_EXPIRED] = "expired",
	[EVENT_RST_DROPPED] = "rst_dropped",
	[EVENT_REFUSED] = "refused",
	[EVENT_LOST] = "lost",
	[EVENT_PAYLOAD] = "payload",
};

#define METHOD_TEXT(member, text) [NOL_METHOD_##member] = text,
static const char *const method_texts[] = {[NOL_METHOD_NONE] = "auto", NOL_METHODS(METHOD_TEXT)};

const char *event_kind_text(enum event_kind kind)
{
	return kind_texts[kind];
}

const char *method_text(enum nol_method method)
{
	return method_texts[method];
}

bool event_has_count(const struct event *event)
{
	return event->count || event->kind == EVENT_RST_DROPPED || event->kind == EVENT_LOST;
}

static void write_lines(struct writer *writer, struct event_output *output, const char *text,
			size_t len)
{
	pthread_mutex_lock(&writer->lock);
	event_output_append(output, text, len);
	pthread_mutex_unlock(&writer->lock);
}

static void write_staged(struct writer *writer, struct event_output *output, struct staged *staged)
{
	if (staged->len)
		write_lines(writer, output, staged->text, staged->len);
	staged->len = 0;
}

static void emit(struct writer *writer, struct event_output *output, struct staged *staged,
		 const struct event_line *line)
{
	if (!staged->text) {
		write_lines(writer, output, line->text, line->len);
		return;
	}
	if (staged->len + line->len > STAGED_SIZE)
		write_staged(writer, output, staged);
	memcpy(staged->text + staged->len, line->text, line->len);
	staged->len += line->len;
}

static const char *format_time(struct events *events)
{
	static const size_t last_digit = sizeof("2026-11-21T19:18:38.123456") - 2;
	const uint64_t now_ns = clock_realtime_ns();
	uint64_t us = now_ns % CLOCK_NS_PER_S / CLOCK_NS_PER_US;

	if (now_ns / CLOCK_NS_PER_S != events->time_s) {
		events->time_s = now_ns / CLOCK_NS_PER_S;
		clock_format(events->time, now_ns);
		events->time[last_digit + 1] = '\0'; /* without the Z */
		return events->time;
	}
	for (size_t i = 0; i < 6; i++, us /= 10)
		events->time[last_digit - i] = (char)('0' + us % 10);
	return events->time;
}

bool events_has_readers(const struct events *events)
{
	return events->writer->json.fd >= 0 || events->writer->human.fd >= 0;
}

void events_emit(struct events *events, const struct event *event)
{
	struct writer *writer = events->writer;
	struct event_line line;

	if (writer->json.fd >= 0) {
		line.len = 0;
		eve_build(&line, event, &writer->origin, format_time(events));
		emit(writer, &writer->json, &events->json, &line);
	}
	if (writer->human.fd >= 0) {
		line.len = 0;
		event_text_build(&line, event);
		emit(writer, &writer->human, &events->human, &line);
	}
}

void events_payload(struct events *events, const struct event *event, const void *bytes, size_t len)
{
	struct event part = *event;

	part.payload = (struct event_payload){.bytes = bytes, .total = len};
	do {
		part.payload.len = len < EVENT_PAYLOAD_MAX ? len : EVENT_PAYLOAD_MAX;
		events_emit(events, &part);
		part.payload.bytes += part.payload.len;
		part.payload.offset += part.payload.len;
		len -= part.payload.len;
	} while (len);
}

void events_flush(struct events *events)
{
	struct writer *writer = events->writer;

	if (!events->is_owner && !events->json.len && !events->human.len)
		return;
	write_staged(writer, &writer->json, &events->json);
	write_staged(writer, &writer->human, &events->human);
	pthread_mutex_lock(&writer->lock);
	event_output_flush(&writer->json);
	event_output_flush(&writer->human);
	pthread_mutex_unlock(&writer->lock);
}

uint64_t events_lost(const struct events *events)
{
	struct writer *writer = events->writer;
	uint64_t lost;

	pthread_mutex_lock(&writer->lock);
	lost = writer->json.lost + writer->human.lost;
	pthread_mutex_unlock(&writer->lock);
	return lost;
}

static int open_json(struct event_output *output, const char *path)
{
	/* O_NONBLOCK: a FIFO that nobody reads is an error, not a wait. */
	const int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK;
	int fd = STDOUT_FILENO;

	if (strcmp(path, "-") == 0)
		return event_output_open(output, fd, "standard output");
	fd = open(path, flags, 0644);
	if (fd < 0) {
		int err = -errno;

		log_error("%s: cannot open for events: %s", path, strerror(-err));
		return err;
	}
	return event_output_open(output, fd, path);
}

static void writer_free(struct writer *writer)
{
	if (!writer)
		return;
	event_output_close(&writer->json);
	event_output_close(&writer->human);
	pthread_mutex_destroy(&writer->lock);
	free(writer);
}

static int writer_new(struct writer **out, const struct events_options *options)
{
	struct writer *writer = calloc(1, sizeof(*writer));
	int err = -ENOMEM;

	if (!writer)
		goto out;
	pthread_mutex_init(&writer->lock, NULL);
	writer->json.fd = writer->human.fd = -1;
	writer->origin = (struct eve_origin){
		.ifname = options->ifname ?: "",
		.vlan_id = options->vlan_id,
		.seed = options->community_id_seed,
	};
	err = options->json_path ? open_json(&writer->json, options->json_path) : 0;
	if (!err && !options->is_quiet)
		err = event_output_open(&writer->human, STDERR_FILENO, "standard error");
	if (err)
		goto out;
	*out = writer;
	writer = NULL;
out:
	writer_free(writer);
	return err;
}

int events_new(struct events **out, const struct events_options *options)
{
	struct events *events = calloc(1, sizeof(*events));
	int err;

	if (!events)
		return -ENOMEM;
	signal(SIGPIPE, SIG_IGN);
	events->is_owner = true;
	err = writer_new(&events->writer, options);
	if (err)
		events_free(events);
	else
		*out = events;
	return err;
}

int events_join(struct events **out, const struct events *owner)
{
	struct events *events = calloc(1, sizeof(*events));

	if (!events)
		return -ENOMEM;
	events->writer = owner->writer;
	events->json.text = malloc(STAGED_SIZE);
	events->human.text = malloc(STAGED_SIZE);
	if (!events->json.text || !events->human.text) {
		events_free(events);
		return -ENOMEM;
	}
	*out = events;
	return 0;
}

void events_free(struct events *events)
{
	if (!events)
		return;
	if (events->is_owner)
		writer_free(events->writer);
	else
		events_flush(events);
	free(events->json.text);
	free(events->human.text);
	free(events);
}
