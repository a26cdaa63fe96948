/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A line in the making. snprintf() would cost more than the system call that writes it. Seen by the events only. */
#ifndef NOLISTEN_EVENT_LINE_H
#define NOLISTEN_EVENT_LINE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* What a pipe takes in one piece: no line is longer, whatever its payload (PIPE_BUF). */
#define EVENT_LINE_SIZE 4096

struct event_line {
	char text[EVENT_LINE_SIZE];
	size_t len;
};

/* What does not fit is cut; no line comes near. */
static inline void line_add_bytes(struct event_line *line, const void *bytes, size_t len)
{
	const size_t room = sizeof(line->text) - line->len;

	if (len > room)
		len = room;
	memcpy(line->text + line->len, bytes, len);
	line->len += len;
}

static inline void line_add(struct event_line *line, const char *text)
{
	line_add_bytes(line, text, strlen(text));
}

static inline void line_add_number(struct event_line *line, uint64_t number)
{
	char digits[20];
	size_t at = sizeof(digits);

	do
		digits[--at] = (char)('0' + number % 10);
	while (number /= 10);
	line_add_bytes(line, digits + at, sizeof(digits) - at);
}

#endif
