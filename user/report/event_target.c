/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * syslog(3) waits when the log is slow, so its datagrams are made here: what it writes, with the cookie by which rsyslog,
 * syslog-ng and others know that JSON follows.
 */
#define SYSLOG_NAMES
#include "event_target.h"

#include <errno.h>
#include <fcntl.h>
#include <paths.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define UNIX "unix:"
#define SYSLOG "syslog:"
#define COOKIE "@cee: "
#define PATH_SIZE sizeof(((struct sockaddr_un *)NULL)->sun_path)

static bool parse_unix(struct event_target *out, const char *path, const char **why)
{
	out->kind = EVENT_TARGET_UNIX;
	out->path = path;
	if (*path && strlen(path) < PATH_SIZE)
		return true;
	*why = *path ? "the path is longer than a socket's may be"
		     : "a path is needed, as in unix:/run/reader.sock";
	return false;
}

static bool parse_syslog(struct event_target *out, const char *facility, const char **why)
{
	out->kind = EVENT_TARGET_SYSLOG;
	out->path = _PATH_LOG;
	out->priority = LOG_DAEMON | LOG_INFO;
	if (!*facility)
		return true;
	for (const CODE *code = facilitynames; code->c_name; code++) {
		if (strcmp(code->c_name, facility) || (code->c_val & ~LOG_FACMASK))
			continue;
		out->priority = code->c_val | LOG_INFO;
		return true;
	}
	*why = "syslog has no such facility; daemon, user or local0 to local7 are some";
	return false;
}

bool event_target_parse(struct event_target *out, const char *text, const char **why)
{
	*out = (struct event_target){.kind = EVENT_TARGET_FILE, .name = text, .path = text};
	if (!strncmp(text, UNIX, strlen(UNIX)))
		return parse_unix(out, text + strlen(UNIX), why);
	if (!strncmp(text, SYSLOG, strlen(SYSLOG)))
		return parse_syslog(out, text + strlen(SYSLOG), why);
	if (!strcmp(text, "-")) {
		out->kind = EVENT_TARGET_DESCRIPTOR;
		out->name = "standard output";
	}
	*why = "a file, -, unix:PATH or syslog: is needed";
	return *text;
}

static int connect_as(const char *path, int type)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	const int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int err;

	if (fd < 0)
		return -errno;
	memcpy(name.sun_path, path, strlen(path));
	if (!connect(fd, (struct sockaddr *)&name, sizeof(name)))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

/* Of the kind that the reader has: there is no way to ask but to try. */
static int connect_to(const char *path)
{
	const int fd = connect_as(path, SOCK_STREAM);

	return fd == -EPROTOTYPE ? connect_as(path, SOCK_DGRAM) : fd;
}

/* The room that poll() has seen in a pipe another process may take, and a write() would wait then: see event_output.c. */
static int open_file(const char *path)
{
	/* O_NONBLOCK: a FIFO that nobody reads is an error, not a wait. */
	const int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
	const int fd = open(path, flags, 0644);

	return fd < 0 ? -errno : fd;
}

int event_target_open(const struct event_target *target)
{
	switch (target->kind) {
	case EVENT_TARGET_FILE:
		return open_file(target->path);
	case EVENT_TARGET_UNIX:
		return connect_to(target->path);
	case EVENT_TARGET_SYSLOG:
		return connect_as(target->path, SOCK_DGRAM);
	default:
		return STDOUT_FILENO;
	}
}

bool event_target_may_come(const struct event_target *target, int err)
{
	if (target->kind != EVENT_TARGET_UNIX && target->kind != EVENT_TARGET_SYSLOG)
		return false;
	/* EAGAIN: it does not accept as fast as others connect. */
	return err == -ENOENT || err == -ECONNREFUSED || err == -EAGAIN;
}

size_t event_target_frame(const struct event_target *target, const char *line, size_t len,
			  char *out, size_t size)
{
	const time_t now = time(NULL);
	char date[32];
	struct tm local;
	int written;

	localtime_r(&now, &local);
	strftime(date, sizeof(date), "%b %e %H:%M:%S", &local);
	/* A datagram needs no newline. */
	written = snprintf(out, size, "<%d>%s nolisten[%d]: " COOKIE "%.*s", target->priority, date,
			   (int)getpid(), (int)len - 1, line);
	return (size_t)written < size ? (size_t)written : size - 1;
}
