/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Answers as text that two servers can be compared by: what differs between any two connections (ISNs, clocks, ports) is
 * left out, its relation to what was sent is kept. Steps are divided by " / ", segments by " + ".
 */
#ifndef NOLISTEN_TESTS_DIFFER_TEXT_H
#define NOLISTEN_TESTS_DIFFER_TEXT_H

#include <stdarg.h>

#include "tools/script.h"

#define ANSWER_TEXT_SIZE 4096

struct answer_text {
	char text[ANSWER_TEXT_SIZE]; /* everything */
	char shape[512]; /* the flags only */
	bool is_active; /* in a step */
	bool is_sum;
	bool is_burst; /* several segments at once: how the echo is cut into segments is chance */
	bool learns_tsval; /* from the segment at hand */
	unsigned int segments; /* of this step */
	/* The sum of this step. */
	uint32_t acked, data_end, longest;
	bool has_fin, has_rst;
};

/*
 * Method connect: its SYN-ACKs are SYNs that were rewritten, with NOPs for what was not asked for, and with the windows of
 * an active open, which are chosen before the remote's options are known. Neither is text then.
 */
static bool answer_text_is_of_connect;

__attribute__((format(printf, 3, 4))) static void append(char *text, size_t size,
							 const char *format, ...)
{
	size_t len = strlen(text);
	va_list args;

	va_start(args, format);
	vsnprintf(text + len, size - len, format, args);
	va_end(args);
}

#define APPEND(text, ...) append(text, sizeof(text), __VA_ARGS__)

TOOL_UNUSED static void answer_text_begin(struct answer_text *out, bool is_sum, bool is_burst)
{
	if (*out->text) {
		APPEND(out->text, " / ");
		APPEND(out->shape, " / ");
	}
	out->is_active = true;
	out->is_sum = is_sum;
	out->is_burst = is_burst;
	out->segments = 0;
	out->acked = out->data_end = out->longest = 0;
	out->has_fin = out->has_rst = false;
}

TOOL_UNUSED static void answer_text_end(struct answer_text *out)
{
	if (!out->is_active)
		return;
	out->is_active = false;
	if (out->is_sum)
		APPEND(out->text, "acked +%u", out->acked);
	if (out->is_sum && !out->is_burst)
		APPEND(out->text, ", data to +%u, longest %u", out->data_end, out->longest);
	if (out->is_sum)
		APPEND(out->text, "%s%s", out->has_fin ? ", fin" : "", out->has_rst ? ", rst" : "");
	else if (!out->segments)
		APPEND(out->text, "silent");
	if (out->is_sum)
		APPEND(out->shape, "longest %u", out->longest);
	else if (!out->segments)
		APPEND(out->shape, "silent");
}

TOOL_UNUSED static bool answer_text_is_alike(const struct answer_text *a,
					     const struct answer_text *b)
{
	if (a->is_active && a->is_sum)
		return a->acked == b->acked &&
		       (a->is_burst || (a->data_end == b->data_end && a->longest == b->longest)) &&
		       a->has_fin == b->has_fin && a->has_rst == b->has_rst;
	return a->segments == b->segments;
}

static void append_flags(struct answer_text *out, uint8_t flags)
{
	static const char letters[] = "FSRP.UEW";

	for (int bit = 0; bit < 8; bit++)
		if (flags & 1 << bit) {
			APPEND(out->text, "%c", letters[bit]);
			APPEND(out->shape, "%c", letters[bit]);
		}
}

static void append_timestamps(struct answer_text *out, struct script_state *state,
			      const uint8_t *value)
{
	uint32_t tsecr = get32(value + 4);

	/* A challenge ACK's TSval is not what the kernel expects to see again. */
	if (out->learns_tsval)
		state->tsval = get32(value);
	if (tsecr == state->sent_tsval)
		APPEND(out->text, " ts(echo)");
	else
		APPEND(out->text, tsecr ? " ts(%+d)" : " ts(0)", (int)(tsecr - state->sent_tsval));
}

static void append_option(struct answer_text *out, struct script_state *state,
			  const uint8_t *option, size_t len)
{
	if (option[0] == 2 && len == 4)
		APPEND(out->text, " mss %u", get16(option + 2));
	else if (option[0] == 3 && len == 3)
		APPEND(out->text, " ws %u", option[2]);
	else if (option[0] == 8 && len == 10)
		append_timestamps(out, state, option + 2);
	else
		APPEND(out->text, " kind %u len %zu", option[0], len);
}

static void append_options(struct answer_text *out, struct script_state *state,
			   const struct wire_answer *answer)
{
	size_t at = 0;

	while (at < answer->options_len) {
		const uint8_t *option = answer->options + at;
		size_t len = option[0] < 2 || at + 1 == answer->options_len ? 1 : option[1];

		if (option[0] == 1 && answer_text_is_of_connect)
			;
		else if (option[0] < 2)
			APPEND(out->text, option[0] ? " nop" : " eol");
		else if (len < 2 || at + len > answer->options_len)
			APPEND(out->text, " broken option %u", option[0]);
		else
			append_option(out, state, option, len);
		at += len ? len : answer->options_len;
	}
}

/* A sequence number in terms of ours and the server's. */
static void append_number(struct answer_text *out, const char *name, uint32_t value,
			  uint32_t server, uint32_t ours)
{
	if (server && value - server < 200000)
		APPEND(out->text, " %s=iss+%u", name, value - server);
	else if (value - ours < 100000)
		APPEND(out->text, " %s=isn+%u", name, value - ours);
	else if (value - ours > 0xfff00000u)
		APPEND(out->text, " %s=isn-%u", name, ours - value);
	else
		APPEND(out->text, " %s=%u", name, value);
}

/* The first SYN-ACK, and one that reuses the 4-tuple of a TIME-WAIT socket: above all that went before. */
static void learn_iss(struct answer_text *out, struct script_state *state,
		      const struct wire_answer *answer)
{
	if ((answer->flags & (WIRE_SYN | WIRE_ACK)) != (WIRE_SYN | WIRE_ACK) ||
	    answer->seq == state->iss)
		return;
	if (state->iss)
		APPEND(out->text, (int32_t)(answer->seq - state->iss) > 65535 ? "new ISS above, "
									      : "new ISS below, ");
	state->iss = answer->seq;
}

static void sum_up(struct answer_text *out, struct script_state *state,
		   const struct wire_answer *answer)
{
	uint32_t end = answer->seq + (uint32_t)answer->payload_len - state->iss;

	if (answer->flags & WIRE_ACK && answer->ack - SCRIPT_ISN > out->acked)
		out->acked = answer->ack - SCRIPT_ISN;
	if (answer->payload_len && end > out->data_end)
		out->data_end = end;
	if (answer->payload_len > out->longest)
		out->longest = (uint32_t)answer->payload_len;
	out->has_fin |= answer->flags & WIRE_FIN;
	out->has_rst |= !!(answer->flags & WIRE_RST);
	out->segments++;
}

TOOL_UNUSED static void answer_text_add(struct answer_text *out, struct script_state *state,
					const struct wire_answer *answer)
{
	if (!out->is_active)
		return;
	if (out->is_sum && !answer->has_bad_checksum) {
		sum_up(out, state, answer);
		return;
	}
	if (out->segments++) {
		APPEND(out->text, " + ");
		APPEND(out->shape, " + ");
	}
	learn_iss(out, state, answer);
	out->learns_tsval = answer->flags & WIRE_SYN;
	append_flags(out, answer->flags);
	append_number(out, "seq", answer->seq, state->iss, SCRIPT_ISN);
	append_number(out, "ack", answer->ack, 0, SCRIPT_ISN);
	if (!answer_text_is_of_connect)
		APPEND(out->text, " win %u", answer->window);
	append_options(out, state, answer);
	if (answer->payload_len)
		APPEND(out->text, " len %zu", answer->payload_len);
	if (answer->has_bad_checksum)
		APPEND(out->text, " BAD CHECKSUM");
}

#endif
