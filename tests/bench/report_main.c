/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reads samples on standard input and prints the table: medians, nolisten against its reference, and whether
 * the goal is met. Exit status 1 if a figure could not be taken; a goal that is missed is not an error.
 */
#include <stdio.h>
#include <string.h>

#include "samples.h"

enum goal {
	GOAL_NONE,
	RATIO_AT_MOST,
	RATIO_AT_LEAST,
	VALUE_AT_LEAST,
	EXTRA_AT_MOST,
};

struct row {
	const char *text;
	const char *reference, *measured; /* names of samples; no reference: the value alone */
	enum goal goal;
	double limit;
};

struct section {
	const char *reference; /* heading of that column */
	const struct row *rows;
};

static const struct row connection_rows[] = {
	{"connect() to first byte, p50 (us)", "kernel.serial.p50_us", "nolisten.serial.p50_us",
	 RATIO_AT_MOST, 1.5},
	{"connect() to first byte, p90 (us)", "kernel.serial.p90_us", "nolisten.serial.p90_us"},
	{"connect() to first byte, p99 (us)", "kernel.serial.p99_us", "nolisten.serial.p99_us"},
	{"connections/s, one after the other", "kernel.serial.per_s", "nolisten.serial.per_s"},
	{"connections/s, 32 at once", "kernel.parallel.per_s", "nolisten.parallel.per_s",
	 RATIO_AT_LEAST, 0.7},
	{"32 at once, p50 (us)", "kernel.parallel.p50_us", "nolisten.parallel.p50_us"},
	{"32 at once, p99 (us)", "kernel.parallel.p99_us", "nolisten.parallel.p99_us"},
	{0},
};

static const struct row handoff_rows[] = {
	{"hand-offs/s, one thread", NULL, "handoff.per_s", VALUE_AT_LEAST, 80000},
	{0},
};

static const struct row program_rows[] = {
	{"ingress, IPv4 data packet (ns)", "program.ingress_ipv4.empty_ns",
	 "program.ingress_ipv4.ns", EXTRA_AT_MOST, 5},
	{"ingress, IPv6 data packet (ns)", "program.ingress_ipv6.empty_ns",
	 "program.ingress_ipv6.ns", EXTRA_AT_MOST, 5},
	{"egress guard, IPv4 data packet (ns)", "program.egress_ipv4.empty_ns",
	 "program.egress_ipv4.ns", EXTRA_AT_MOST, 5},
	{"egress guard, IPv6 data packet (ns)", "program.egress_ipv6.empty_ns",
	 "program.egress_ipv6.ns", EXTRA_AT_MOST, 5},
	{0},
};

static const struct section sections[] = {
	{"kernel", connection_rows},
	{"", handoff_rows},
	{"empty", program_rows},
};

static const char *const failure_names[] = {
	"kernel.serial.failed",
	"kernel.parallel.failed",
	"nolisten.serial.failed",
	"nolisten.parallel.failed",
};

static const char *explain_missing(const struct samples *samples)
{
	if (!samples)
		return "no measurement";
	return samples->count ? NULL : samples->reason;
}

static double compare(const struct row *row, double reference, double measured)
{
	return row->goal == EXTRA_AT_MOST ? measured - reference : measured / reference;
}

/* Lowest and highest of the rounds taken pair by pair: how far one round may be from the next. */
static void print_spread(const struct row *row, const struct samples *reference,
			 const struct samples *measured)
{
	unsigned int pairs =
		reference->count < measured->count ? reference->count : measured->count;
	double low = compare(row, reference->values[0], measured->values[0]), high = low;
	char text[64];

	for (unsigned int i = 1; i < pairs; i++) {
		double value = compare(row, reference->values[i], measured->values[i]);

		low = value < low ? value : low;
		high = value > high ? value : high;
	}
	snprintf(text, sizeof(text), "%.2f..%.2f", low, high);
	printf(" %14s", text);
}

static void print_goal(const struct row *row, double value)
{
	static const char *const texts[] = {
		[RATIO_AT_MOST] = "at most %gx",
		[RATIO_AT_LEAST] = "at least %gx",
		[VALUE_AT_LEAST] = "at least %g",
		[EXTRA_AT_MOST] = "at most +%g",
	};
	bool is_most = row->goal == RATIO_AT_MOST || row->goal == EXTRA_AT_MOST;
	char text[32];

	if (row->goal != GOAL_NONE) {
		snprintf(text, sizeof(text), texts[row->goal], row->limit);
		printf("  %-15s %s", text,
		       (is_most ? value <= row->limit : value >= row->limit) ? "met" : "NOT MET");
	}
	printf("\n");
}

static double find_median(const struct samples *samples)
{
	return samples_median(samples->values, samples->count);
}

static void print_number(const struct samples *samples)
{
	double value;

	if (!samples || !samples->count) {
		printf(" %10s", samples ? "-" : "");
		return;
	}
	value = find_median(samples);
	printf(" %10.*f", value < 1000 ? 1 : 0, value);
}

static void print_comparison(const struct row *row, const struct samples *reference,
			     const struct samples *measured)
{
	double value = find_median(measured);

	if (!row->reference) {
		printf(" %8s %14s", "", "");
	} else {
		value = compare(row, find_median(reference), value);
		printf(row->goal == EXTRA_AT_MOST ? " %+8.1f" : " %7.2fx", value);
		print_spread(row, reference, measured);
	}
	print_goal(row, value);
}

static bool print_row(const struct sample_set *set, const struct row *row)
{
	const struct samples *reference = row->reference ? samples_find(set, row->reference) : NULL;
	const struct samples *measured = samples_find(set, row->measured);
	const char *reason = explain_missing(measured);

	if (row->reference && !reason)
		reason = explain_missing(reference);
	printf("%-38s", row->text);
	print_number(reference);
	print_number(measured);
	if (reason)
		printf("  not taken: %s\n", reason);
	else
		print_comparison(row, reference, measured);
	return !reason;
}

static bool print_section(const struct sample_set *set, const struct section *section)
{
	bool is_complete = true;

	printf("\n%-38s %10s %10s %8s %14s  %s\n", "", section->reference, "nolisten",
	       *section->reference ? "median" : "", *section->reference ? "rounds" : "", "goal");
	for (const struct row *row = section->rows; row->text; row++)
		is_complete &= print_row(set, row);
	return is_complete;
}

/* A figure taken from some of the rounds, or beside failed connections, is worth less: say so. */
static void print_remarks(const struct sample_set *set)
{
	for (unsigned int i = 0; i < sizeof(failure_names) / sizeof(failure_names[0]); i++) {
		const struct samples *failed = samples_find(set, failure_names[i]);
		double sum = 0;

		for (unsigned int j = 0; failed && j < failed->count; j++)
			sum += failed->values[j];
		if (sum)
			printf("\n%s: %.0f connections in %u rounds", failed->name, sum,
			       failed->count);
	}
	for (unsigned int i = 0; i < set->count; i++) {
		if (set->all[i].count && *set->all[i].reason)
			printf("\n%s: at least one round is missing: %s", set->all[i].name,
			       set->all[i].reason);
	}
	printf("\n");
}

int main(void)
{
	static struct sample_set set;
	bool is_complete = true;
	unsigned int line;
	int err = samples_read(&set, stdin, &line);

	if (err) {
		fprintf(stderr, "report: line %u: %s\n", line, strerror(-err));
		return 1;
	}
	for (unsigned int i = 0; i < sizeof(sections) / sizeof(sections[0]); i++)
		is_complete &= print_section(&set, &sections[i]);
	print_remarks(&set);
	return is_complete ? 0 : 1;
}
