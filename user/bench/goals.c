/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The goals as a table. On veth native XDP is right for floods alone, so what concerns saturation is judged with it
 * and the rest in the default mode.
 */
#include "goals.h"

#include <stdio.h>
#include <string.h>

#include "sheet.h"

enum comparison {
	RATIO_AT_MOST,
	RATIO_AT_LEAST,
	AT_MOST,
	AT_LEAST,
};

static const struct goal {
	const char *measure;
	const char *text;
	const char *contender, *figure;
	const char *reference, *reference_figure; /* of ratios */
	enum comparison comparison;
	double limit;
} goals[] = {
	{"synack", "SYN-ACKs a second, xdp with the ownership lookup, to the echo", "xdp-native",
	 "synack.per_s", SHEET_LIMIT, "synack.per_s", RATIO_AT_LEAST, 0.78},
	{"synack", "SYN-ACKs a second, xdp to listen()", "xdp-native", "synack.per_s", SHEET_KERNEL,
	 "synack.per_s", RATIO_AT_LEAST, 8},
	{"program", "program time for a plain SYN, ns", "xdp", "program.syn_ns", NULL, NULL,
	 AT_MOST, 55},
	{"handshake", "complete handshakes a second, xdp to the echo", "xdp-native",
	 "handshake.per_s", SHEET_LIMIT, "synack.per_s", RATIO_AT_LEAST, 0.45},
	{"connect", "connect() p50, auto to listen()", "auto", "connect.p50_us", SHEET_KERNEL,
	 "connect.p50_us", RATIO_AT_MOST, 0.6},
	{"flood", "connect() p99 at 500,000 SYN/s, auto to listen()", "auto",
	 "flood.500000.connect_p99_us", SHEET_KERNEL, "flood.500000.connect_p99_us", RATIO_AT_MOST,
	 0.5},
	{"flood", "clients served at 600,000 SYN/s, auto, %", "auto", "flood.600000.success_pct",
	 NULL, NULL, AT_LEAST, 99.9},
	{"flood", "their p99, us", "auto", "flood.600000.first_byte_p99_us", NULL, NULL, AT_MOST,
	 3000},
	{"program", "an unrelated IPv4 packet, ingress of auto, ns more", "auto",
	 "program.ingress_ipv4_ns", NULL, NULL, AT_MOST, 3},
	{"program", "an unrelated IPv6 packet, ingress of auto, ns more", "auto",
	 "program.ingress_ipv6_ns", NULL, NULL, AT_MOST, 3},
	{"program", "an unrelated IPv4 packet, egress of auto, ns more", "auto",
	 "program.egress_ipv4_ns", NULL, NULL, AT_MOST, 3},
	{"program", "an unrelated IPv6 packet, egress of auto, ns more", "auto",
	 "program.egress_ipv6_ns", NULL, NULL, AT_MOST, 3},
	{"bulk", "unrelated bulk traffic, auto to without", "auto", "bulk.mbit_s", SHEET_KERNEL,
	 "bulk.mbit_s", RATIO_AT_LEAST, 0.97},
	{"serial", "connect() to first byte p50, auto to accept()", "auto", "serial.p50_us",
	 SHEET_KERNEL, "serial.p50_us", RATIO_AT_MOST, 1.15},
	{"parallel", "connections a second, 32 at once, auto to accept()", "auto", "parallel.per_s",
	 SHEET_KERNEL, "parallel.per_s", RATIO_AT_LEAST, 1},
	{"serial", "connect() to first byte p50, engine to accept()", "engine", "serial.p50_us",
	 SHEET_KERNEL, "serial.p50_us", RATIO_AT_MOST, 1.5},
	{"parallel", "connections a second, 32 at once, engine to accept()", "engine",
	 "parallel.per_s", SHEET_KERNEL, "parallel.per_s", RATIO_AT_LEAST, 0.7},
	{"handoff", "hand-offs a second on one thread", HANDOFF_NAME, "handoff.1.per_s", NULL, NULL,
	 AT_LEAST, 80000},
};

size_t goal_count(void)
{
	return sizeof(goals) / sizeof(goals[0]);
}

static bool is_met(const struct goal *goal, double value)
{
	return goal->comparison == RATIO_AT_MOST || goal->comparison == AT_MOST
		       ? value <= goal->limit
		       : value >= goal->limit;
}

static bool find_value(const struct board *board, const struct goal *goal, double *value,
		       const char **reason)
{
	if (!board_get(board, goal->contender, goal->figure, value)) {
		*reason = board_reason(board, goal->contender, goal->figure);
		return false;
	}
	if (!goal->reference)
		return true;
	*reason = board_reason(board, goal->reference, goal->reference_figure);
	return board_compare(board, goal->contender, goal->figure, goal->reference,
			     goal->reference_figure, value);
}

/* Hand-offs are of no contender, and some goals need no reference. */
static bool takes_part(const struct board *board, const char *contender)
{
	return !contender || !strcmp(contender, HANDOFF_NAME) ||
	       board_find_row(board, contender) >= 0;
}

bool goal_judge(const struct board *board, size_t index, struct goal_result *out)
{
	static const char *const texts[] = {
		[RATIO_AT_MOST] = "at most %gx",
		[RATIO_AT_LEAST] = "at least %gx",
		[AT_MOST] = "at most %g",
		[AT_LEAST] = "at least %g",
	};
	const struct goal *goal = &goals[index];

	if (!board_has_measure(board, goal->measure) || !takes_part(board, goal->contender) ||
	    !takes_part(board, goal->reference))
		return false;
	*out = (struct goal_result){.text = goal->text, .state = GOAL_UNKNOWN};
	snprintf(out->limit, sizeof(out->limit), texts[goal->comparison], goal->limit);
	if (find_value(board, goal, &out->value, &out->reason))
		out->state = is_met(goal, out->value) ? GOAL_MET : GOAL_MISSED;
	return true;
}
