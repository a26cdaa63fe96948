/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What there is nothing to say about has no line, and no member. */
#include "reset_print.h"

#include <stdlib.h>

#include <jansson.h>

#include "clock.h"
#include "segment.h"
#include "words.h"

static void print_line(FILE *out, uint32_t number, const char *label, const char *text,
		       const char *aside)
{
	if (*text)
		fprintf(out, "[%u]   %-8s %s%s\n", number, label, text, aside);
}

void reset_print_text(FILE *out, const struct reset_account *account, uint32_t number)
{
	const struct nol_step *rst = &account->reset->rst;
	char local[ENDPOINT_TEXT_SIZE], remote[ENDPOINT_TEXT_SIZE], packet[WORDS_SIZE];
	char why[TRACE_NAME_SIZE + 8] = "";

	words_end(rst->key.local_addr, rst->key.local_port, local);
	words_end(rst->key.remote_addr, rst->key.remote_port, remote);
	if (account->is_prevented)
		snprintf(packet, sizeof(packet), "no RST");
	else
		words_packet(rst, packet);
	if (account->why[0])
		snprintf(why, sizeof(why), " (%s)", account->why);
	fprintf(out, "[%u] %s from %s to %s %s%s\n", number, packet, local, remote,
		account->has_left	? "left"
		: account->is_prevented ? "since its segment was stopped by "
					: "was stopped by ",
		account->stopped);
	print_line(out, number, "cause:", account->cause, "");
	print_line(out, number, "missing:", account->missing, why);
	print_line(out, number, "behind:", account->who, account->is_inferred ? " (inferred)" : "");
	print_line(out, number, "cure:", account->cure, "");
}

static void add_text(json_t *object, const char *key, const char *text)
{
	if (*text)
		json_object_set_new(object, key, json_string(text));
}

static void add_end(json_t *object, const char *key, const __u8 addr[16], uint16_t port)
{
	char text[ENDPOINT_TEXT_SIZE];

	words_end(addr, port, text);
	json_object_set_new(object, key, json_string(text));
}

static void add_segment(json_t *object, const struct nol_step *step)
{
	char flags[SEGMENT_FLAGS_TEXT_SIZE];

	segment_format_flags(step->flags, flags);
	json_object_set_new(object, "flags", json_string(flags));
	json_object_set_new(object, "seq", json_integer(step->seq));
	json_object_set_new(object, "ack", json_integer(step->ack));
	json_object_set_new(object, "window", json_integer(step->window));
	json_object_set_new(object, "len", json_integer(step->payload_len));
}

static void add_behind(json_t *object, const struct reset_account *account)
{
	char owner[ENDPOINT_TEXT_SIZE];

	json_object_set_new(object, "behind", json_string(reset_behind_name(account->behind)));
	json_object_set_new(object, "inferred", json_boolean(account->is_inferred));
	add_text(object, "who", account->who);
	if (account->program.pid) {
		add_text(object, "program", account->program.name);
		json_object_set_new(object, "pid", json_integer(account->program.pid));
	}
	if (account->behind == BEHIND_NAT) {
		endpoint_format(&account->owner, owner);
		add_text(object, "owner", owner);
	}
}

static json_t *build(const struct reset_account *account, const char *ifname)
{
	const uint64_t offset = clock_realtime_ns() - clock_monotonic_ns();
	const struct nol_step *rst = &account->reset->rst;
	json_t *object = json_object(), *cause;
	char time[CLOCK_TEXT_SIZE];

	clock_format(time, rst->time_ns + offset);
	add_text(object, "time", time);
	add_text(object, "in_iface", ifname);
	add_end(object, "local", rst->key.local_addr, rst->key.local_port);
	add_end(object, "remote", rst->key.remote_addr, rst->key.remote_port);
	if (!account->is_prevented)
		add_segment(object, rst);
	json_object_set_new(object, "prevented", json_boolean(account->is_prevented));
	json_object_set_new(object, "left", json_boolean(account->has_left));
	add_text(object, "stopped_by", account->stopped);
	add_text(object, "reason", account->why);
	if (account->has_cause) {
		cause = json_object();
		add_segment(cause, account->is_prevented ? rst : &account->reset->cause);
		json_object_set_new(object, "cause", cause);
	}
	add_text(object, "missing", account->missing);
	add_behind(object, account);
	add_text(object, "cure", account->cure);
	return object;
}

void reset_print_json(FILE *out, const struct reset_account *account, const char *ifname)
{
	json_t *object = build(account, ifname);
	char *text = json_dumps(object, JSON_COMPACT);

	if (text)
		fprintf(out, "%s\n", text);
	free(text);
	json_decref(object);
}
