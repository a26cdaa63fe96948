/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What came out of it: tables and goals on standard output, results.json, plots. */
#ifndef NOLISTEN_BENCH_REPORT_H
#define NOLISTEN_BENCH_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "bench.h"

#define CONDITIONS_SIZE 256

/* The machine: kernel, processor, CPUs that are used. */
void bench_report_conditions(const struct bench *bench, char text[CONDITIONS_SIZE]);

void bench_report_print(const struct bench *bench);

/* Goals as they stand in the project's issues; a goal of a figure that was not asked for is left out. */
enum goal_state {
	GOAL_MET,
	GOAL_MISSED,
	GOAL_UNKNOWN, /* not taken */
};

struct goal_result {
	const char *text;
	char limit[32]; /* "at most 0.6x" */
	enum goal_state state;
	double value; /* of the ratio, difference or figure */
	const char *reason; /* GOAL_UNKNOWN */
};

size_t goal_count(void);
/* False: not asked for. */
bool goal_judge(const struct bench *bench, size_t index, struct goal_result *out);

/* results.json and the plots into the folder, which is made. Logged. */
int bench_report_write(const struct bench *bench, const char *dir);
int bench_report_write_json(const struct bench *bench, const char *path);
/* -ENOENT if there is no gnuplot, logged. */
int bench_report_plot(const struct bench *bench, const char *dir);

/* Why there is no value, in words. */
const char *bench_report_reason(const struct bench *bench, const char *contender,
				const char *figure);

#endif
