/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The loop answers handshakes, so no line may make it wait: an output has a buffer, is written a pipe's atomic size
 * at a time, and only when poll() says that there is room.
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
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"

#define BUFFER_SIZE (256u << 10)
#define LAST_FLUSH_MS 1000

static void report(struct event_output *output, const char *reason)
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
static void lose(struct event_output *output, int err)
{
	report(output, strerror(err));
	output->lost += count_lines(output->buffer + output->start, output->end - output->start);
	/* The newline that append() put after a torn line ends no line of its own. */
	if (output->start == 0 && output->end && output->buffer[0] == '\n')
		output->lost--;
	output->start = output->end = 0;
	output->is_broken = err == EPIPE;
}

/* As many whole lines as a pipe takes in one piece: several processes may write to it. A line is shorter than that. */
static size_t piece_len(const char *text, size_t len)
{
	const char *end = memrchr(text, '\n', len < PIPE_BUF ? len : PIPE_BUF);

	return end ? (size_t)(end - text) + 1 : len < PIPE_BUF ? len : PIPE_BUF;
}

static bool has_room(const struct event_output *output, int timeout_ms)
{
	struct pollfd poll_fd = {.fd = output->fd, .events = POLLOUT};

	return output->is_file || poll(&poll_fd, 1, timeout_ms) > 0;
}

/* One piece; false: no more can be written now. */
static bool write_some(struct event_output *output, int timeout_ms)
{
	size_t len = output->end - output->start;
	ssize_t written;

	if (!len || !has_room(output, timeout_ms))
		return false;
	if (!output->is_file)
		len = piece_len(output->buffer + output->start, len);
	written = write(output->fd, output->buffer + output->start, len);
	if (written > 0) {
		output->start += written;
		output->last = output->buffer[output->start - 1];
	} else if (errno != EAGAIN && errno != EINTR) {
		lose(output, errno);
	}
	return written > 0;
}

void event_output_flush(struct event_output *output)
{
	while (write_some(output, 0))
		;
	if (output->start == output->end)
		output->start = output->end = 0;
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
	if (output->is_broken || !make_space(output, len + 1)) {
		report(output, "the reader is too slow");
		output->lost++;
		return;
	}
	/* The disk was full in the middle of a line: this one is not its end. */
	if (output->start == output->end && output->last != '\n')
		output->buffer[output->end++] = '\n';
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

/*
 * The room that poll() has seen in a pipe another process may take, and a write() would wait then. One that does not is
 * of a description of our own: others have the one that was given to us.
 */
static int reopen_pipe(int fd)
{
	char path[32];
	int own;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	own = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	return own >= 0 ? own : fd;
}

int event_output_open(struct event_output *output, int fd, const char *name)
{
	struct stat status = {0};

	fstat(fd, &status);
	output->name = name;
	output->fd = S_ISFIFO(status.st_mode) && fd <= STDERR_FILENO ? reopen_pipe(fd) : fd;
	output->last = '\n';
	output->is_file = S_ISREG(status.st_mode);
	output->buffer = malloc(BUFFER_SIZE);
	return output->buffer ? 0 : -ENOMEM;
}

void event_output_close(struct event_output *output)
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
