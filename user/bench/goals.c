/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The goals as a table. On veth native XDP is right for floods alone, so what concerns saturation is judged with it
 * and the rest in the default mode.
 */
#include "goals.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "looks.h"
#include "sheet.h"

enum comparison {
	RATIO_AT_MOST,
	RATIO_AT_LEAST,
	AT_MOST,
	AT_LEAST,
	MORE_AT_MOST, /* than the reference */
};

static const struct goal {
	const char *measure;
	const char *text;
	const char *contender, *figure;
	const char *reference, *reference_figure; /* of ratios and differences */
	enum comparison comparison;
	double limit;
} goals[] = {
	{"synack", "SYN-ACKs a second, xdp with the ownership lookup, to the echo", "xdp-native",
	 "synack.per_s", SHEET_LIMIT, "synack.per_s", RATIO_AT_LEAST, 0.78},
	{"synack", "SYN-ACKs a second, native xdp to listen() with cookies", "xdp-native",
	 "synack.per_s", SHEET_KERNEL, "synack.per_s", RATIO_AT_LEAST, 8},
	{"program", "program time for a plain SYN, ns", "xdp", "program.syn_ns", NULL, NULL,
	 AT_MOST, 50},
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
	{"flood", "clients served at 600,000 SYN/s, accept, %", "accept",
	 "flood.600000.success_pct", NULL, NULL, AT_LEAST, 99.9},
	{"flood", "their p99, us", "accept", "flood.600000.first_byte_p99_us", NULL, NULL, AT_MOST,
	 3000},
	{"flood", "clients served at 600,000 SYN/s, xdp, %", "xdp", "flood.600000.success_pct",
	 NULL, NULL, AT_LEAST, 99.9},
	{"flood", "their p99, us", "xdp", "flood.600000.first_byte_p99_us", NULL, NULL, AT_MOST,
	 3000},
	{"program", "an unrelated IPv4 packet, ingress of auto, ns more", "auto",
	 "program.ingress_ipv4_ns", NULL, NULL, AT_MOST, 3},
	{"program", "an unrelated IPv6 packet, ingress of auto, ns more", "auto",
	 "program.ingress_ipv6_ns", NULL, NULL, AT_MOST, 3},
	{"program", "an unrelated IPv4 packet, egress of auto, ns more", "auto",
	 "program.egress_ipv4_ns", NULL, NULL, AT_MOST, 3},
	{"program", "an unrelated IPv6 packet, egress of auto, ns more", "auto",
	 "program.egress_ipv6_ns", NULL, NULL, AT_MOST, 3},
	{"program", "a packet of no lease, ingress of the guard, ns more", "auto",
	 "program.guard_in_ns", NULL, NULL, AT_MOST, 3},
	{"program", "a packet of no lease, egress of the guard, ns more", "auto",
	 "program.guard_out_ns", NULL, NULL, AT_MOST, 3},
	{"bulk", "unrelated bulk traffic, auto to without", "auto", "bulk.mbit_s", SHEET_KERNEL,
	 "bulk.mbit_s", RATIO_AT_LEAST, 0.97},
	{"serial", "connect() to first byte p50, auto to accept()", "auto", "serial.p50_us",
	 SHEET_KERNEL, "serial.p50_us", RATIO_AT_MOST, 1.15},
	{"parallel", "connections a second, 32 at once, auto to accept()", "auto", "parallel.per_s",
	 SHEET_KERNEL, "parallel.per_s", RATIO_AT_LEAST, 0.85},
	{"serial", "connect() to first byte p50, engine to accept()", "engine", "serial.p50_us",
	 SHEET_KERNEL, "serial.p50_us", RATIO_AT_MOST, 1.15},
	{"parallel", "connections a second, 32 at once, engine to accept()", "engine",
	 "parallel.per_s", SHEET_KERNEL, "parallel.per_s", RATIO_AT_LEAST, 0.85},
	{"serial", "connect() to first byte p50, accept to accept()", "accept", "serial.p50_us",
	 SHEET_KERNEL, "serial.p50_us", RATIO_AT_MOST, 1.02},
	{"parallel", "connections a second, 32 at once, accept to accept()", "accept",
	 "parallel.per_s", SHEET_KERNEL, "parallel.per_s", RATIO_AT_LEAST, 0.98},
	{"delay", "first byte p50, 10 ms away, auto to accept()", "auto", "delay.p50_us",
	 SHEET_KERNEL, "delay.p50_us", RATIO_AT_MOST, 1.1},
	{"delay", "first byte p99, 10 ms away, 2 % lost, auto to accept()", "auto",
	 "delay.lossy_p99_us", SHEET_KERNEL, "delay.lossy_p99_us", RATIO_AT_MOST, 1.1},
	{"delay", "first byte p50, 10 ms away, engine to accept()", "engine", "delay.p50_us",
	 SHEET_KERNEL, "delay.p50_us", RATIO_AT_MOST, 1.1},
	{"delay", "first byte p99, 10 ms away, 2 % lost, engine to accept()", "engine",
	 "delay.lossy_p99_us", SHEET_KERNEL, "delay.lossy_p99_us", RATIO_AT_MOST, 1.1},
	{"delay", "first byte p50, 10 ms away, accept to accept()", "accept", "delay.p50_us",
	 SHEET_KERNEL, "delay.p50_us", RATIO_AT_MOST, 1.1},
	{"delay", "first byte p99, 10 ms away, 2 % lost, accept to accept()", "accept",
	 "delay.lossy_p99_us", SHEET_KERNEL, "delay.lossy_p99_us", RATIO_AT_MOST, 1.1},
	{"parallel", "a connection by libnolisten, 32 at once, us to auto's own service", "app",
	 "parallel.each_us", "auto", "parallel.each_us", MORE_AT_MOST, 4},
	{"parallel", "connections a second, 32 at once, under run to accept()", "run",
	 "parallel.per_s", SHEET_KERNEL, "parallel.per_s", RATIO_AT_LEAST, 0.97},
	{"requests",
	 "requests a second on 32 connections, under run to accept() (2 % are the same)", "run",
	 "requests.per_s", SHEET_KERNEL, "requests.per_s", RATIO_AT_LEAST, 0.98},
	{"demand", "first byte of the first client, started on demand, ms to started by hand",
	 "run-demand", "demand.first_byte_ms", SHEET_KERNEL, "demand.first_byte_ms", MORE_AT_MOST,
	 2},
	{"handoff", "hand-offs a second on one thread", HANDOFF_NAME, "handoff.1.per_s", NULL, NULL,
	 AT_LEAST, 80000},
};

size_t goal_count(void)
{
	return sizeof(goals) / sizeof(goals[0]);
}

static enum goal_state judge(const struct goal *goal, const struct interval *interval)
{
	const bool is_at_most = goal->comparison == RATIO_AT_MOST || goal->comparison == AT_MOST ||
				goal->comparison == MORE_AT_MOST;

	if (is_at_most ? interval->high <= goal->limit : interval->low >= goal->limit)
		return GOAL_MET;
	if (is_at_most ? interval->low > goal->limit : interval->high < goal->limit)
		return GOAL_MISSED;
	return GOAL_UNSETTLED;
}

static enum samples_relation relation_of(const struct goal *goal)
{
	return goal->comparison == MORE_AT_MOST ? SAMPLES_DIFFERENCE : SAMPLES_RATIO;
}

static const struct samples *find_base(const struct board *board, const struct goal *goal)
{
	return goal->reference ? board_find(board, goal->reference, goal->reference_figure) : NULL;
}

/*
 * By the last look that was planned; where that has not settled it, and there will be no other, by all rounds, if they
 * are enough to say more.
 */
static void look(const struct board *board, const struct goal *goal, struct goal_result *out)
{
	const struct samples *samples = board_find(board, goal->contender, goal->figure);
	const struct samples *base = find_base(board, goal);
	const unsigned int count = out->interval.count;
	const struct samples_part planned = looks_planned(count);
	struct interval all;

	if (!planned.count ||
	    !samples_of_part(samples, base, relation_of(goal), planned, &out->interval))
		return;
	out->state = judge(goal, &out->interval);
	if (out->state != GOAL_UNSETTLED || !board->is_over || planned.count == count ||
	    !samples_of_part(samples, base, relation_of(goal), looks_final(count), &all) ||
	    !isfinite(all.low))
		return;
	out->interval = all;
	out->state = judge(goal, &all);
}

/* The interval is that of no look yet. */
static bool find_interval(const struct board *board, const struct goal *goal,
			  struct goal_result *out)
{
	struct interval ignored;

	if (!goal->reference) {
		out->reason = board_reason(board, goal->contender, goal->figure);
		return board_get(board, goal->contender, goal->figure, &out->interval);
	}
	out->reason = board_get(board, goal->contender, goal->figure, &ignored)
			      ? board_reason(board, goal->reference, goal->reference_figure)
			      : board_reason(board, goal->contender, goal->figure);
	return samples_compare(board_find(board, goal->contender, goal->figure),
			       find_base(board, goal), relation_of(goal), &out->interval);
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
		[RATIO_AT_MOST] = "at most %gx",    [RATIO_AT_LEAST] = "at least %gx",
		[AT_MOST] = "at most %g",	    [AT_LEAST] = "at least %g",
		[MORE_AT_MOST] = "at most %g more",
	};
	const struct goal *goal = &goals[index];

	if (!board_has_measure(board, goal->measure) || !takes_part(board, goal->contender) ||
	    !takes_part(board, goal->reference))
		return false;
	*out = (struct goal_result){.text = goal->text, .state = GOAL_UNKNOWN};
	snprintf(out->limit, sizeof(out->limit), texts[goal->comparison], goal->limit);
	if (!find_interval(board, goal, out))
		return true;
	out->state = GOAL_UNSETTLED;
	look(board, goal, out);
	return true;
}

const char *goal_verdict(enum goal_state state)
{
	static const char *const verdicts[] = {[GOAL_MET] = "met",
					       [GOAL_MISSED] = "NOT MET",
					       [GOAL_UNSETTLED] = "not settled",
					       [GOAL_UNKNOWN] = "not taken"};

	return verdicts[state];
}

/* "synack.per_s" is of the measure synack. */
static bool is_figure_of(const char *figure, const char *measure)
{
	const size_t len = strlen(measure);

	return !strncmp(figure, measure, len) && figure[len] == '.';
}

bool goal_rests_on(size_t index, const char *contender, const char *measure)
{
	const struct goal *goal = &goals[index];

	return (!strcmp(goal->contender, contender) && is_figure_of(goal->figure, measure)) ||
	       (goal->reference && !strcmp(goal->reference, contender) &&
		is_figure_of(goal->reference_figure, measure));
}
