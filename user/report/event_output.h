/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where lines of events go: a file, a pipe, a terminal; never waited for. Seen by events.c only. */
#ifndef NOLISTEN_EVENT_OUTPUT_H
#define NOLISTEN_EVENT_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_output {
	const char *name; /* for messages */
	int fd; /* -1: there is none */
	bool is_file; /* always has room */
	bool is_broken; /* closed pipe: nobody will read it again */
	bool is_reported;
	uint64_t lost; /* lines */
	char last; /* byte written */
	size_t start, end; /* of what is not written yet */
	char *buffer;
};

/* fd is the output's from now on, but for the standard ones. */
int event_output_open(struct event_output *output, int fd, const char *name);
/* Writes what is left, for a second at most. */
void event_output_close(struct event_output *output);
/* Whole lines; those that find no room are lost. */
void event_output_append(struct event_output *output, const char *text, size_t len);
/* As much as there is room for now. */
void event_output_flush(struct event_output *output);

#endif
