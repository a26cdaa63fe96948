/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Events as lines of text and of JSON. Threads do not meet over each line: a thread's own events are staged and go
 * to the outputs by the batch.
 */
#include "events.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <abi/limit.h>

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
	bool has_rate;
	struct nol_limit limits[EVENT_KINDS]; /* of what strangers can bring about at will */
	uint64_t limited[EVENT_KINDS], told_limited[EVENT_KINDS]; /* atomic; the owner's */
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
	return events->writer->json.is_used || events->writer->human.is_used;
}

/* Those that come once a second at most are needed the more. */
static bool is_above_rate(struct writer *writer, enum event_kind kind)
{
	if (!writer->has_rate || kind == EVENT_LOST || kind == EVENT_RST_DROPPED ||
	    nol_limit_take(&writer->limits[kind], clock_monotonic_ns()))
		return false;
	__atomic_add_fetch(&writer->limited[kind], 1, __ATOMIC_RELAXED);
	return true;
}

void events_emit(struct events *events, const struct event *event)
{
	struct writer *writer = events->writer;
	struct event_line line;

	if (!events_has_readers(events) || is_above_rate(writer, event->kind))
		return;
	if (writer->json.is_used) {
		line.len = 0;
		eve_build(&line, event, &writer->origin, format_time(events));
		emit(writer, &writer->json, &events->json, &line);
	}
	if (writer->human.is_used) {
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

/* An event of the owner's. What did not get out is told where it was missed, behind everything else. */
static void tell_lost(struct events *events, struct event_output *output)
{
	struct writer *writer = events->writer;
	struct event event = {.kind = EVENT_LOST, .rtt_us = -1, .handoff_us = -1};
	struct event_line line = {.len = 0};

	event.count = event_output_take_lost(output, &event.reason);
	if (!event.count)
		return;
	event.lost_kind = "any";
	if (output == &writer->json)
		eve_build(&line, &event, &writer->origin, format_time(events));
	else
		event_text_build(&line, &event);
	event_output_append(output, line.text, line.len);
	event_output_flush(output);
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
	if (events->is_owner) {
		tell_lost(events, &writer->json);
		tell_lost(events, &writer->human);
	}
	pthread_mutex_unlock(&writer->lock);
}

static uint64_t read_limited(const struct writer *writer, enum event_kind kind)
{
	return __atomic_load_n(&writer->limited[kind], __ATOMIC_RELAXED);
}

static void tell_limited(struct events *events)
{
	struct writer *writer = events->writer;

	for (enum event_kind kind = 0; kind < EVENT_KINDS; kind++) {
		const uint64_t limited = read_limited(writer, kind);
		const struct event event = {
			.kind = EVENT_LOST,
			.rtt_us = -1,
			.handoff_us = -1,
			.reason = "rate",
			.lost_kind = event_kind_text(kind),
			.count = limited - writer->told_limited[kind],
		};

		if (event.count)
			events_emit(events, &event);
		writer->told_limited[kind] = limited;
	}
}

void events_beat(struct events *events)
{
	tell_limited(events);
	events_flush(events);
}

bool events_reopen(struct events *events)
{
	struct writer *writer = events->writer;
	struct event_output *output = &writer->json;
	int fd;

	if (!output->is_used || output->target.kind == EVENT_TARGET_DESCRIPTOR)
		return false;
	fd = event_target_open(&output->target);
	if (fd < 0) {
		log_error("%s: cannot open again, events go on where they went: %s",
			  output->target.name, strerror(-fd));
		return true;
	}
	pthread_mutex_lock(&writer->lock);
	event_output_replace(output, fd);
	pthread_mutex_unlock(&writer->lock);
	return true;
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

uint64_t events_limited(const struct events *events)
{
	uint64_t sum = 0;

	for (enum event_kind kind = 0; kind < EVENT_KINDS; kind++)
		sum += read_limited(events->writer, kind);
	return sum;
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
	writer->has_rate = options->rate;
	for (enum event_kind kind = 0; kind < EVENT_KINDS; kind++)
		nol_limit_set(&writer->limits[kind], options->rate);
	writer->origin = (struct eve_origin){
		.ifname = options->ifname ?: "",
		.vlan_id = options->vlan_id,
		.seed = options->community_id_seed,
	};
	err = options->target ? event_output_open(&writer->json, options->target) : 0;
	if (!err && !options->is_quiet)
		err = event_output_open_fd(&writer->human, STDERR_FILENO, "standard error");
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
	if (events->writer && events->is_owner)
		events_beat(events);
	if (events->is_owner)
		writer_free(events->writer);
	else
		events_flush(events);
	free(events->json.text);
	free(events->human.text);
	free(events);
}
