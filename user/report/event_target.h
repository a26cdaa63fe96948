/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where --events goes: FILE (a FIFO too), "-", unix:PATH, a socket of either kind on which somebody listens, or
 * syslog:[FACILITY].
 */
#ifndef NOLISTEN_EVENT_TARGET_H
#define NOLISTEN_EVENT_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum event_target_kind {
	EVENT_TARGET_DESCRIPTOR, /* standard output or error: there is no second one */
	EVENT_TARGET_FILE,
	EVENT_TARGET_UNIX,
	EVENT_TARGET_SYSLOG,
};

struct event_target {
	enum event_target_kind kind;
	const char *name; /* for messages */
	const char *path; /* of file and socket */
	int priority; /* of syslog */
};

/* False: *why it is none. text is borrowed. */
bool event_target_parse(struct event_target *out, const char *text, const char **why);
/* Its descriptor, which never makes a writer wait (but a file's), or -errno. */
int event_target_open(const struct event_target *target);
/* May it be that nobody reads there yet, or no more, and somebody will? */
bool event_target_may_come(const struct event_target *target, int err);
/* One line, newline included, in syslog's frame. Its length. */
size_t event_target_frame(const struct event_target *target, const char *line, size_t len,
			  char *out, size_t size);

#endif
