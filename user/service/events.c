/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Events as lines of text and of JSON. The loop answers handshakes, so no line may make it wait: each output
 * has a buffer, is written a pipe's atomic size at a time, and only when poll() says that there is room.
 */
#include "events.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"

#define BUFFER_SIZE (256u << 10)
#define LINE_SIZE 512
#define LAST_FLUSH_MS 1000

struct output {
	const char *name; /* for messages */
	int fd; /* -1: there is none */
	bool is_file; /* always has room */
	bool is_broken; /* closed pipe: nobody will read it again */
	bool is_reported;
	uint64_t lost;
	char last; /* byte written */
	size_t start, end; /* of what is not written yet */
	char *buffer;
};

struct line {
	char text[LINE_SIZE];
	size_t len;
};

/* What both forms of a line need. */
struct names {
	const char *time;
	char local[ENDPOINT_TEXT_SIZE], remote[ENDPOINT_TEXT_SIZE];
};

struct events {
	struct output json, human;
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

static const char *const method_texts[] = {
	[NOL_METHOD_NONE] = "none",	  [NOL_METHOD_ENGINE] = "engine",
	[NOL_METHOD_XDP] = "xdp",	  [NOL_METHOD_CONNECT] = "connect",
	[NOL_METHOD_NFQUEUE] = "nfqueue", [NOL_METHOD_FILTER] = "filter",
	[NOL_METHOD_RAW] = "raw",
};

const char *event_kind_text(enum event_kind kind)
{
	return kind_texts[kind].json;
}

const char *method_text(enum nol_method method)
{
	return method_texts[method];
}

static void report(struct output *output, const char *reason)
{
	if (!output->is_reported)
		log_warning("%s: events are lost: %s", output->name, reason);
	output->is_reported = true;
}

static size_t count_lines(const char *text, size_t len)
{
	size_t count = 0;

	for (size_t i = 0; i < len; i++)
		count += text[i] == '\n';
	return count;
}

/* What is buffered cannot be written, now or ever. */
static void lose(struct output *output, int err)
{
	report(output, strerror(err));
	output->lost += count_lines(output->buffer + output->start, output->end - output->start);
	/* The newline that append() put after a torn line ends no line of its own. */
	if (output->start == 0 && output->end && output->buffer[0] == '\n')
		output->lost--;
	output->start = output->end = 0;
	output->is_broken = err == EPIPE;
}

static bool has_room(const struct output *output, int timeout_ms)
{
	struct pollfd poll_fd = {.fd = output->fd, .events = POLLOUT};

	return output->is_file || poll(&poll_fd, 1, timeout_ms) > 0;
}

/* One piece; false: no more can be written now. */
static bool write_some(struct output *output, int timeout_ms)
{
	size_t len = output->end - output->start;
	ssize_t written;

	if (!len || !has_room(output, timeout_ms))
		return false;
	if (!output->is_file && len > PIPE_BUF)
		len = PIPE_BUF;
	written = write(output->fd, output->buffer + output->start, len);
	if (written > 0) {
		output->start += written;
		output->last = output->buffer[output->start - 1];
	} else if (errno != EAGAIN && errno != EINTR) {
		lose(output, errno);
	}
	return written > 0;
}

static void flush(struct output *output)
{
	while (write_some(output, 0))
		;
	if (output->start == output->end)
		output->start = output->end = 0;
}

static bool make_space(struct output *output, size_t len)
{
	if (output->end + len <= BUFFER_SIZE)
		return true;
	flush(output);
	if (!output->start)
		return output->end + len <= BUFFER_SIZE;
	memmove(output->buffer, output->buffer + output->start, output->end - output->start);
	output->end -= output->start;
	output->start = 0;
	return output->end + len <= BUFFER_SIZE;
}

static void append(struct output *output, const struct line *line)
{
	if (output->is_broken || !make_space(output, line->len + 1)) {
		report(output, "the reader is too slow");
		output->lost++;
		return;
	}
	/* The disk was full in the middle of a line: this one is not its end. */
	if (output->start == output->end && output->last != '\n')
		output->buffer[output->end++] = '\n';
	memcpy(output->buffer + output->end, line->text, line->len);
	output->end += line->len;
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

static void emit(struct output *output, build_fn build, const struct event *event,
		 const struct names *names)
{
	struct line line;

	if (output->fd < 0)
		return;
	line.len = 0;
	build(&line, event, names);
	append(output, &line);
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

void events_emit(struct events *events, const struct event *event)
{
	struct names names;

	if (events->json.fd < 0 && events->human.fd < 0)
		return;
	names.time = format_time(events);
	if (event->tuple) {
		endpoint_format(&event->tuple->local, names.local);
		endpoint_format(&event->tuple->remote, names.remote);
	}
	emit(&events->json, build_json, event, &names);
	emit(&events->human, build_human, event, &names);
}

void events_flush(struct events *events)
{
	flush(&events->json);
	flush(&events->human);
}

uint64_t events_lost(const struct events *events)
{
	return events->json.lost + events->human.lost;
}

static int open_output(struct output *output, int fd, const char *name)
{
	struct stat status;

	output->name = name;
	output->fd = fd;
	output->last = '\n';
	output->is_file = !fstat(fd, &status) && S_ISREG(status.st_mode);
	output->buffer = malloc(BUFFER_SIZE);
	return output->buffer ? 0 : -ENOMEM;
}

static int open_json(struct output *output, const char *path)
{
	/* O_NONBLOCK: a FIFO that nobody reads is an error, not a wait. */
	const int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK;
	int fd = STDOUT_FILENO;

	if (strcmp(path, "-") == 0)
		return open_output(output, fd, "standard output");
	fd = open(path, flags, 0644);
	if (fd < 0) {
		int err = -errno;

		log_error("%s: cannot open for events: %s", path, strerror(-err));
		return err;
	}
	return open_output(output, fd, path);
}

int events_new(struct events **out, const struct events_options *options)
{
	struct events *events = calloc(1, sizeof(*events));
	int err = -ENOMEM;

	if (!events)
		goto out;
	events->json.fd = events->human.fd = -1;
	signal(SIGPIPE, SIG_IGN);
	err = options->json_path ? open_json(&events->json, options->json_path) : 0;
	if (!err && !options->is_quiet)
		err = open_output(&events->human, STDERR_FILENO, "standard error");
	if (err)
		goto out;
	*out = events;
	events = NULL;
out:
	events_free(events);
	return err;
}

static void close_output(struct output *output)
{
	const uint64_t deadline_ns = clock_monotonic_ns() + LAST_FLUSH_MS * CLOCK_NS_PER_MS;

	if (output->fd < 0)
		return;
	while (write_some(output, LAST_FLUSH_MS) && clock_monotonic_ns() < deadline_ns)
		;
	if (output->start < output->end)
		lose(output, EAGAIN);
	if (output->lost)
		log_warning("%s: %" PRIu64 " events were lost", output->name, output->lost);
	if (output->fd > STDERR_FILENO)
		close(output->fd);
	free(output->buffer);
}

void events_free(struct events *events)
{
	if (!events)
		return;
	close_output(&events->json);
	close_output(&events->human);
	free(events);
}
