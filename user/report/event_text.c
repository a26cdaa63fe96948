/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Who, what, and in parentheses how. */
#include "event_text.h"

#define PREVIEW_MAX 64 /* bytes */

static const char *const kind_texts[] = {
	[EVENT_SYN] = "SYN",
	[EVENT_ESTABLISHED] = "established",
	[EVENT_HANDED_OFF] = "handed off",
	[EVENT_CLOSED] = "closed",
	[EVENT_RESET] = "reset",
	[EVENT_EXPIRED] = "expired",
	[EVENT_RST_DROPPED] = "RST dropped",
	[EVENT_REFUSED] = "refused",
	[EVENT_LOST] = "lost",
	[EVENT_PAYLOAD] = "payload",
};

/* One of what stands in parentheses, separated by commas; start: where the parenthesis opens. */
static void add_detail(struct event_line *line, size_t start, const char *text)
{
	line_add(line, line->len == start ? " (" : ", ");
	line_add(line, text);
}

static void add_microseconds(struct event_line *line, size_t start, const char *name, int64_t us)
{
	if (us < 0)
		return;
	add_detail(line, start, name);
	line_add_number(line, us);
	line_add(line, " us");
}

static void add_count(struct event_line *line, size_t start, uint64_t count, const char *one,
		      const char *many)
{
	add_detail(line, start, "");
	line_add_number(line, count);
	line_add(line, count == 1 ? one : many);
}

static void add_details(struct event_line *line, const struct event *event)
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
	if (event->lost_kind)
		add_detail(line, start, event->lost_kind);
	if (event_has_count(event))
		add_count(line, start, event->count, event->lost_kind ? " event" : " packet",
			  event->lost_kind ? " events" : " packets");
	if (event->kind == EVENT_PAYLOAD)
		add_count(line, start, event->payload.len, " byte", " bytes");
	if (line->len != start)
		line_add(line, ")");
}

/* A stranger's byte, as C writes it: a terminal is to see letters only. */
static void add_visible(struct event_line *line, uint8_t byte)
{
	static const char hex[] = "0123456789abcdef";
	const char escape[] = {'\\', 'x', hex[byte >> 4], hex[byte & 15]};
	const char letter[] = {'\\', (char)byte};

	if (byte == '\r')
		line_add(line, "\\r");
	else if (byte == '\n')
		line_add(line, "\\n");
	else if (byte == '"' || byte == '\\')
		line_add_bytes(line, letter, sizeof(letter));
	else if (byte >= ' ' && byte <= '~')
		line_add_bytes(line, &byte, 1);
	else
		line_add_bytes(line, escape, sizeof(escape));
}

static void add_preview(struct event_line *line, const struct event_payload *payload)
{
	line_add(line, ": \"");
	for (size_t i = 0; i < payload->len && i < PREVIEW_MAX; i++)
		add_visible(line, payload->bytes[i]);
	line_add(line, payload->len > PREVIEW_MAX ? "\"..." : "\"");
}

void event_text_build(struct event_line *line, const struct event *event)
{
	char text[ENDPOINT_TEXT_SIZE];

	if (event->tuple) {
		endpoint_format(&event->tuple->remote, text);
		line_add(line, text);
		line_add(line, " > ");
		endpoint_format(&event->tuple->local, text);
		line_add(line, text);
		line_add(line, " ");
	}
	line_add(line, kind_texts[event->kind]);
	add_details(line, event);
	if (event->payload.len)
		add_preview(line, &event->payload);
	line_add(line, "\n");
}
