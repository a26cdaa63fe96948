/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where lines of events go, through a buffer; never waited for. Seen by events.c only. */
#ifndef NOLISTEN_EVENT_OUTPUT_H
#define NOLISTEN_EVENT_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event_target.h"

/* How it is written to. */
enum event_output_kind {
	EVENT_OUTPUT_FILE, /* always has room, unless the disk is full */
	EVENT_OUTPUT_PIPE, /* or a terminal: asked for room before each piece */
	EVENT_OUTPUT_STREAM,
	EVENT_OUTPUT_DATAGRAM, /* a line each */
};

struct event_output {
	struct event_target target;
	enum event_output_kind kind;
	bool is_used; /* false: nothing is written there */
	int fd; /* -1: nobody reads, at the moment */
	bool is_broken; /* closed pipe that was given to us: nobody will read it again */
	bool is_reported; /* that something is wrong, until it is right again */
	uint64_t lost; /* lines */
	uint64_t untold; /* of these, by no event yet */
	const char *why,
		*lost_why; /* what is wrong now; and was when the first of the untold was lost */
	uint64_t retry_ns, next_report_ns; /* not before */
	size_t part; /* of the first line, how much has been written */
	size_t start, end; /* of what is not written yet, from the start of a line on */
	char *buffer;
};

/* As --events has it. Errors are logged. text is borrowed. */
int event_output_open(struct event_output *output, const char *text);
/* Of ours already: standard error. */
int event_output_open_fd(struct event_output *output, int fd, const char *name);
/* Writes what is left, for a second at most. */
void event_output_close(struct event_output *output);
/* Whole lines; those that find no room are lost. */
void event_output_append(struct event_output *output, const char *text, size_t len);
/* As much as there is room for now. */
void event_output_flush(struct event_output *output);
/* fd, of the same target, takes the place of what is written to: a file was renamed. What is not written yet goes there. */
void event_output_replace(struct event_output *output, int fd);
/* How many lines were lost since the last call, and why, once everything else is written; else 0. */
uint64_t event_output_take_lost(struct event_output *output, const char **why);

#endif
