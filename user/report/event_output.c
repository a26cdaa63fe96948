/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The loop answers handshakes, so no line may make it wait: an output has a buffer, is written a pipe's atomic size
 * at a time, and only when there is room. While there is none, whether the reader is slow, or gone, or the disk is full, lines
 * wait in the buffer, and the next ones are lost. A line of which a part is written stays in the buffer until all of it
 * is: who reads on finds it whole, and a new reader gets it from its start.
 */
#include "event_output.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "event_line.h"
#include "log.h"

#define BUFFER_SIZE (256u << 10)
#define LAST_FLUSH_MS 1000
#define RETRY_DISK_NS (100 * CLOCK_NS_PER_MS)
#define RETRY_READER_NS CLOCK_NS_PER_S
#define REPORT_NS (60 * CLOCK_NS_PER_S)
#define FRAME_SIZE 64 /* of syslog, around a line */

/* These are reasons of the event lost. */
static const char slow_reader[] = "slow_reader", disk_full[] = "disk_full",
		  no_reader[] = "no_reader", write_failed[] = "write_failed";

static void report(struct event_output *output, const char *what, const char *why)
{
	const uint64_t now_ns = clock_monotonic_ns();

	/* A reader that is now too slow and now is not shall not fill the log as well. */
	if (output->is_reported || now_ns < output->next_report_ns)
		return;
	log_warning("%s: %s: %s", output->target.name, what, why);
	output->is_reported = true;
	output->next_report_ns = now_ns + REPORT_NS;
}

static void count_lost(struct event_output *output, uint64_t count)
{
	if (!output->untold)
		output->lost_why = output->why;
	output->lost += count;
	output->untold += count;
}

static size_t count_lines(const char *text, size_t len)
{
	size_t count = 0;

	for (size_t i = 0; i < len; i++)
		count += text[i] == '\n';
	return count;
}

static void lose_all(struct event_output *output)
{
	count_lost(output,
		   count_lines(output->buffer + output->start, output->end - output->start));
	output->start = output->end = output->part = 0;
}

static size_t first_line_len(const struct event_output *output)
{
	const char *text = output->buffer + output->start;

	return (size_t)((const char *)memchr(text, '\n', output->end - output->start) - text) + 1;
}

/* The half of a line that the file ends with is taken back, if nobody else has written behind it. */
static void take_back_part(struct event_output *output)
{
	struct stat status;

	if (output->kind != EVENT_OUTPUT_FILE || !output->part || fstat(output->fd, &status) ||
	    status.st_size != lseek(output->fd, 0, SEEK_CUR) ||
	    ftruncate(output->fd, status.st_size - (off_t)output->part))
		return;
	output->part = 0;
}

static void close_fd(struct event_output *output)
{
	take_back_part(output);
	if (output->fd > STDERR_FILENO)
		close(output->fd);
	output->fd = -1;
	output->part = 0;
}

static enum event_output_kind kind_of(int fd)
{
	struct stat status = {0};
	int type = 0;
	socklen_t len = sizeof(type);

	fstat(fd, &status);
	if (S_ISREG(status.st_mode))
		return EVENT_OUTPUT_FILE;
	if (!S_ISSOCK(status.st_mode))
		return EVENT_OUTPUT_PIPE;
	getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len);
	return type == SOCK_STREAM ? EVENT_OUTPUT_STREAM : EVENT_OUTPUT_DATAGRAM;
}

/* Nobody reads there any more. Where there is a path, somebody may again. */
static void lose_reader(struct event_output *output, int err)
{
	output->why = no_reader;
	if (output->target.kind == EVENT_TARGET_DESCRIPTOR) {
		report(output, "events are lost", strerror(err));
		output->is_broken = true;
		lose_all(output);
		return;
	}
	report(output, "events wait for a reader", strerror(err));
	close_fd(output);
	output->retry_ns = clock_monotonic_ns() + RETRY_READER_NS;
}

static void stand_still(struct event_output *output, int err)
{
	output->why = err == ENOSPC || err == EDQUOT || err == EFBIG ? disk_full : write_failed;
	report(output, "cannot write events", strerror(err));
	output->retry_ns = clock_monotonic_ns() + RETRY_DISK_NS;
}

/* True: it may go on at once. */
static bool take_error(struct event_output *output, int err)
{
	switch (err) {
	case EAGAIN:
	case ENOBUFS:
		return false;
	case EINTR:
		return true;
	case EMSGSIZE:
		output->why = write_failed;
		report(output, "events are lost", strerror(err));
		count_lost(output, 1);
		output->start += first_line_len(output);
		return true;
	case EPIPE:
	case ECONNREFUSED:
	case ECONNRESET:
	case ENOTCONN:
		lose_reader(output, err);
		return false;
	default:
		stand_still(output, err);
		return false;
	}
}

static bool reconnect(struct event_output *output)
{
	int fd;

	if (output->fd >= 0)
		return true;
	fd = event_target_open(&output->target);
	if (fd < 0) {
		output->retry_ns = clock_monotonic_ns() + RETRY_READER_NS;
		return false;
	}
	output->fd = fd;
	output->kind = kind_of(fd);
	return true;
}

/* As many whole lines as a pipe takes in one piece: several processes may write to it. A line is shorter than that. */
static size_t piece_len(const char *text, size_t len)
{
	const char *end = memrchr(text, '\n', len < PIPE_BUF ? len : PIPE_BUF);

	return end ? (size_t)(end - text) + 1 : len < PIPE_BUF ? len : PIPE_BUF;
}

static ssize_t send_line(const struct event_output *output, const char *text)
{
	const size_t len = first_line_len(output);
	char framed[EVENT_LINE_SIZE + FRAME_SIZE];
	size_t framed_len;
	ssize_t sent;

	if (output->target.kind != EVENT_TARGET_SYSLOG)
		return send(output->fd, text, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	framed_len = event_target_frame(&output->target, text, len, framed, sizeof(framed));
	sent = send(output->fd, framed, framed_len, MSG_DONTWAIT | MSG_NOSIGNAL);
	return sent < 0 ? sent : (ssize_t)len;
}

static ssize_t write_piece(const struct event_output *output)
{
	const char *text = output->buffer + output->start + output->part;
	const size_t len = output->end - output->start - output->part;

	switch (output->kind) {
	case EVENT_OUTPUT_FILE:
		return write(output->fd, text, len);
	case EVENT_OUTPUT_PIPE:
		return write(output->fd, text, piece_len(text, len));
	case EVENT_OUTPUT_STREAM:
		return send(output->fd, text, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	default:
		return send_line(output, text);
	}
}

static bool has_room(const struct event_output *output, int timeout_ms)
{
	struct pollfd poll_fd = {.fd = output->fd, .events = POLLOUT};

	if (output->kind == EVENT_OUTPUT_FILE || (!timeout_ms && output->kind != EVENT_OUTPUT_PIPE))
		return true;
	return poll(&poll_fd, 1, timeout_ms) > 0;
}

static void note_written(struct event_output *output, size_t len)
{
	const char *text = output->buffer + output->start, *last;

	output->part += len;
	last = memrchr(text, '\n', output->part);
	if (last) {
		output->start += (size_t)(last - text) + 1;
		output->part -= (size_t)(last - text) + 1;
	}
	output->why = slow_reader;
	output->retry_ns = 0;
}

/* One piece; false: no more can be written now. */
static bool write_some(struct event_output *output, int timeout_ms)
{
	ssize_t written;

	if (output->start == output->end || output->is_broken ||
	    (output->retry_ns && clock_monotonic_ns() < output->retry_ns) || !reconnect(output) ||
	    !has_room(output, timeout_ms))
		return false;
	written = write_piece(output);
	if (written < 0)
		return take_error(output, errno);
	note_written(output, (size_t)written);
	return written > 0;
}

/* All is well again. */
static void tell_recovery(struct event_output *output)
{
	if (!output->is_reported || output->is_broken)
		return;
	log_info("%s: events are written again", output->target.name);
	output->is_reported = false;
}

void event_output_flush(struct event_output *output)
{
	if (output->start == output->end)
		return;
	while (write_some(output, 0))
		;
	if (output->start != output->end)
		return;
	output->start = output->end = 0;
	tell_recovery(output);
}

static bool make_space(struct event_output *output, size_t len)
{
	if (output->end + len <= BUFFER_SIZE)
		return true;
	event_output_flush(output);
	if (!output->start)
		return output->end + len <= BUFFER_SIZE;
	memmove(output->buffer, output->buffer + output->start, output->end - output->start);
	output->end -= output->start;
	output->start = 0;
	return output->end + len <= BUFFER_SIZE;
}

static void append_line(struct event_output *output, const char *text, size_t len)
{
	if (output->is_broken || !make_space(output, len)) {
		report(output, "events are lost", "the reader is too slow");
		count_lost(output, 1);
		return;
	}
	memcpy(output->buffer + output->end, text, len);
	output->end += len;
}

void event_output_append(struct event_output *output, const char *text, size_t len)
{
	const char *end;

	for (size_t at = 0; at < len; at = (size_t)(end - text) + 1) {
		end = memchr(text + at, '\n', len - at) ?: text + len - 1;
		append_line(output, text + at, (size_t)(end - text) + 1 - at);
	}
}

uint64_t event_output_take_lost(struct event_output *output, const char **why)
{
	const uint64_t count = output->untold;

	if (output->start != output->end || output->is_broken)
		return 0;
	*why = output->lost_why;
	output->untold = 0;
	return count;
}

/*
 * The room that poll() has seen in a pipe another process may take, and a write() would wait then. One that does not is
 * of a description of our own: others have the one that was given to us.
 */
static int reopen_pipe(int fd)
{
	struct stat status = {0};
	char path[32];
	int own;

	if (fstat(fd, &status) || !S_ISFIFO(status.st_mode))
		return fd;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	own = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	return own >= 0 ? own : fd;
}

static int start(struct event_output *output, int fd)
{
	output->buffer = malloc(BUFFER_SIZE);
	output->is_used = true;
	output->why = slow_reader;
	output->fd = fd;
	if (fd >= 0)
		output->kind = kind_of(fd);
	return output->buffer ? 0 : -ENOMEM;
}

int event_output_open_fd(struct event_output *output, int fd, const char *name)
{
	*output = (struct event_output){
		.target = {.kind = EVENT_TARGET_DESCRIPTOR, .name = name},
	};
	return start(output, reopen_pipe(fd));
}

int event_output_open(struct event_output *output, const char *text)
{
	const char *why;
	int fd;

	*output = (struct event_output){.fd = -1};
	if (!event_target_parse(&output->target, text, &why)) {
		log_error("%s: %s", text, why);
		return -EINVAL;
	}
	if (output->target.kind == EVENT_TARGET_DESCRIPTOR)
		return event_output_open_fd(output, STDOUT_FILENO, output->target.name);
	fd = event_target_open(&output->target);
	if (fd < 0 && !event_target_may_come(&output->target, fd)) {
		log_error("%s: cannot open for events: %s", text, strerror(-fd));
		return fd;
	}
	if (fd < 0) {
		report(output, "events wait for a reader", strerror(-fd));
		output->why = no_reader;
	}
	return start(output, fd);
}

void event_output_replace(struct event_output *output, int fd)
{
	close_fd(output);
	output->fd = fd;
	output->kind = kind_of(fd);
	output->retry_ns = 0;
}

void event_output_close(struct event_output *output)
{
	const uint64_t deadline_ns = clock_monotonic_ns() + LAST_FLUSH_MS * CLOCK_NS_PER_MS;

	if (!output->is_used)
		return;
	output->retry_ns = 0;
	while (write_some(output, LAST_FLUSH_MS) && clock_monotonic_ns() < deadline_ns)
		;
	take_back_part(output);
	lose_all(output);
	if (output->lost)
		log_warning("%s: %" PRIu64 " events were lost", output->target.name, output->lost);
	close_fd(output);
	free(output->buffer);
}
