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
#include "event_output.h"
#include "log.h"

#define LINE_SIZE 512
#define STAGED_SIZE (32u << 10)

struct line {
	char text[LINE_SIZE];
	size_t len;
};

/* What both forms of a line need. */
struct names {
	const char *time;
	char local[ENDPOINT_TEXT_SIZE], remote[ENDPOINT_TEXT_SIZE];
};

/* The outputs, and whose turn it is. */
struct writer {
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

static const struct {
	const char *json, *human;
} kind_texts[] = {
	[EVENT_SYN] = {"syn", "SYN"},
	[EVENT_ESTABLISHED] = {"established", "established"},
	[EVENT_HANDED_OFF] = {"handed_off", "handed off"},
	[EVENT_CLOSED] = {"closed", "closed"},
	[EVENT_RESET] = {"reset", "reset"},
	[EVENT_EXPIRED] = {"expired", "expired"},
	[EVENT_RST_DROPPED] = {"rst_dropped", "RST dropped"},
	[EVENT_REFUSED] = {"refused", "refused"},
	[EVENT_LOST] = {"lost", "lost"},
};

#define METHOD_TEXT(member, text) [NOL_METHOD_##member] = text,
static const char *const method_texts[] = {[NOL_METHOD_NONE] = "auto", NOL_METHODS(METHOD_TEXT)};

const char *event_kind_text(enum event_kind kind)
{
	return kind_texts[kind].json;
}

const char *method_text(enum nol_method method)
{
	return method_texts[method];
}

/* What does not fit is cut; no line comes near LINE_SIZE. snprintf() would cost more than the system call. */
static void add_bytes(struct line *line, const char *text, size_t len)
{
	const size_t room = sizeof(line->text) - line->len;

	if (len > room)
		len = room;
	memcpy(line->text + line->len, text, len);
	line->len += len;
}

static void add(struct line *line, const char *text)
{
	add_bytes(line, text, strlen(text));
}

static void add_number(struct line *line, uint64_t number)
{
	char digits[20];
	size_t at = sizeof(digits);

	do
		digits[--at] = (char)('0' + number % 10);
	while (number /= 10);
	add_bytes(line, digits + at, sizeof(digits) - at);
}

static void add_member(struct line *line, const char *key, const char *value)
{
	add(line, key);
	add(line, value);
	add(line, "\"");
}

static void add_number_member(struct line *line, const char *key, uint64_t value)
{
	add(line, key);
	add_number(line, value);
}

static bool has_count(const struct event *event)
{
	return event->count || event->kind == EVENT_RST_DROPPED || event->kind == EVENT_LOST;
}

static void build_json(struct line *line, const struct event *event, const struct names *names)
{
	add_member(line, "{\"time\":\"", names->time);
	add_member(line, ",\"event\":\"", event_kind_text(event->kind));
	if (event->tuple) {
		add_member(line, ",\"local\":\"", names->local);
		add_member(line, ",\"remote\":\"", names->remote);
	}
	if (event->method != NOL_METHOD_NONE)
		add_member(line, ",\"method\":\"", method_text(event->method));
	if (event->rtt_us >= 0)
		add_number_member(line, ",\"rtt_us\":", event->rtt_us);
	if (event->handoff_us >= 0)
		add_number_member(line, ",\"handoff_us\":", event->handoff_us);
	if (event->first_by_us)
		add_number_member(line, ",\"first_by_us\":", event->first_by_us);
	if (event->reason)
		add_member(line, ",\"reason\":\"", event->reason);
	if (has_count(event))
		add_number_member(line, ",\"count\":", event->count);
	add(line, "}\n");
}

/* One of what stands in parentheses, separated by commas; start: where the parenthesis opens. */
static void add_detail(struct line *line, size_t start, const char *text)
{
	add(line, line->len == start ? " (" : ", ");
	add(line, text);
}

static void add_microseconds(struct line *line, size_t start, const char *name, int64_t us)
{
	if (us < 0)
		return;
	add_detail(line, start, name);
	add_number(line, us);
	add(line, " us");
}

static void add_details(struct line *line, const struct event *event)
{
	const size_t start = line->len;

	if (event->method != NOL_METHOD_NONE)
		add_detail(line, start, method_text(event->method));
	add_microseconds(line, start, "rtt ", event->rtt_us);
	add_microseconds(line, start, "hand-off ", event->handoff_us);
	if (event->reason)
		add_detail(line, start, event->reason);
	if (event->first_by_us)
		add_microseconds(line, start, "first by ", (int64_t)event->first_by_us);
	if (has_count(event)) {
		add_detail(line, start, "");
		add_number(line, event->count);
		add(line, event->count == 1 ? " packet" : " packets");
	}
	if (line->len != start)
		add(line, ")");
}

static void build_human(struct line *line, const struct event *event, const struct names *names)
{
	if (event->tuple) {
		add(line, names->remote);
		add(line, " > ");
		add(line, names->local);
		add(line, " ");
	}
	add(line, kind_texts[event->kind].human);
	add_details(line, event);
	add(line, "\n");
}

typedef void (*build_fn)(struct line *line, const struct event *event, const struct names *names);

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
		 const struct line *line)
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
	struct names names;
	struct line line = {.len = 0};

	if (!events_has_readers(events))
		return;
	names.time = format_time(events);
	if (event->tuple) {
		endpoint_format(&event->tuple->local, names.local);
		endpoint_format(&event->tuple->remote, names.remote);
	}
	if (writer->json.fd >= 0) {
		build_json(&line, event, &names);
		emit(writer, &writer->json, &events->json, &line);
	}
	if (writer->human.fd >= 0) {
		line.len = 0;
		build_human(&line, event, &names);
		emit(writer, &writer->human, &events->human, &line);
	}
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
