/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One JSON object a line: the same sentences, and what they were made from. */
#include <linux/types.h>
#include <stdlib.h>

#include <jansson.h>

#include "addr.h"
#include "clock.h"
#include "print.h"
#include "segment.h"
#include "words.h"

static const char *const kind_names[] = {
	[NOL_STEP_NONE] = "none",
	[NOL_STEP_PACKET_IN] = "packet_in",
	[NOL_STEP_PACKET_OUT] = "packet_out",
	[NOL_STEP_COPY] = "copy",
	[NOL_STEP_RESET_SENT] = "reset_sent",
	[NOL_STEP_RESET_RECEIVED] = "reset_received",
	[NOL_STEP_STATE] = "state",
	[NOL_STEP_ERROR] = "error",
	[NOL_STEP_RETRANSMIT] = "retransmit",
	[NOL_STEP_DESTROYED] = "destroyed",
	[NOL_STEP_DROP] = "drop",
};

static void add(json_t *object, const char *key, json_t *value)
{
	json_object_set_new(object, key, value);
}

static void add_end(json_t *object, const char *key, const __u8 addr[16], uint16_t port)
{
	char text[ENDPOINT_TEXT_SIZE];

	words_end(addr, port, text);
	add(object, key, json_string(text));
}

static void add_time(json_t *object, const struct story_line *line)
{
	const uint64_t offset = clock_realtime_ns() - clock_monotonic_ns();
	char text[CLOCK_TEXT_SIZE];

	clock_format(text, line->step->time_ns + offset);
	add(object, "time", json_string(text));
	add(object, "us", json_real(story_us(line)));
}

static void add_segment(json_t *object, const struct nol_step *step)
{
	char flags[SEGMENT_FLAGS_TEXT_SIZE];

	segment_format_flags(step->flags, flags);
	add(object, "flags", json_string(flags));
	add(object, "seq", json_integer(step->seq));
	add(object, "ack", json_integer(step->ack));
	add(object, "window", json_integer(step->window));
	add(object, "len", json_integer(step->payload_len));
	add(object, "mark", json_integer(step->mark));
}

static void add_socket(json_t *object, const struct nol_step *step)
{
	if (step->kind == NOL_STEP_STATE)
		add(object, "old_state", json_string(story_state_name(step->old_state)));
	add(object, "state", json_string(story_state_name(step->new_state)));
	if (step->kind == NOL_STEP_ERROR)
		add(object, "errno", json_integer(step->error));
}

static void add_text(json_t *object, const struct story_line *line)
{
	const char *packet = line->packet ? line->packet : "";
	char text[512];

	snprintf(text, sizeof(text), "%s%s%s", packet, *packet && *line->text ? ", " : "",
		 line->text);
	add(object, "text", json_string(text));
	add(object, "inferred", json_boolean(line->is_inferred));
}

static json_t *build(const struct story_line *line)
{
	const struct nol_flow_key *key = &line->conversation->key;
	const struct nol_step *step = line->step;
	json_t *object = json_object();

	add_time(object, line);
	add(object, "connection", json_integer(line->conversation->id));
	add(object, "step", json_string(kind_names[step->kind]));
	add_end(object, "local", key->local_addr, key->local_port);
	add_end(object, "remote", key->remote_addr, key->remote_port);
	add_text(object, line);
	if (step->skb)
		add_segment(object, step);
	else
		add_socket(object, step);
	if (line->reason)
		add(object, "reason", json_string(line->reason));
	if (line->function)
		add(object, "function", json_string(line->function));
	if (step->flow_state)
		add(object, "flow", json_string(story_flow_state_name(step->flow_state)));
	return object;
}

void print_json(void *context, const struct story_line *line)
{
	struct printer *printer = context;
	json_t *object = build(line);
	char *text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(12));

	if (text)
		fprintf(printer->out, "%s\n", text);
	free(text);
	json_decref(object);
}
