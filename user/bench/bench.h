/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * nolisten bench: ways to accept a connection, side by side.
 *
 * Theory of operation: a round starts each contender in turn, takes all measures of it and stops it; the next round
 * begins with the next one, so that a drift of the machine favours nobody. How long a slice is comes from the
 * budget of time. A figure is the median of its rounds, latencies come from all rounds together; what could
 * not be taken carries the reason.
 */
#ifndef NOLISTEN_BENCH_H
#define NOLISTEN_BENCH_H

#include <stdbool.h>
#include <stdint.h>

#include "bench_lab.h"
#include "contender.h"
#include "flood.h"
#include "histogram.h"
#include "job.h"
#include "samples.h"
#include "schedule.h"

#define BENCH_RATES_MAX 8

struct bench_options {
	bool is_quick;
	uint32_t slice_ms; /* no slice is longer; 0: as the time allows */
	const char *out_dir; /* NULL: write nothing */
	const char *only; /* names of measures, separated by commas; NULL: all */
	const char *methods; /* names of contenders; NULL: all */
	const char *loader; /* path of nolisten-loader, or NULL: */
	const char *no_loader; /* why there is none */
	char **peers; /* NAME:COMMAND */
	unsigned int peer_count;
};

/* What clients of one kind saw, over all rounds. */
struct tally {
	uint64_t attempts, connected, served;
	int first_error; /* -errno */
	struct histogram connect, first_byte;
};

/* idle: before any flood; under_flood: by index of rate. */
struct tallies {
	struct tally idle, under_flood[BENCH_RATES_MAX];
};

struct bench {
	const struct bench_options *options;
	struct lab lab;
	struct bench_kern *kern;
	struct contender contenders[CONTENDERS_MAX + 1];
	unsigned int contender_count;
	struct tallies *tallies; /* one a contender */
	struct sample_set samples; /* "CONTENDER.FIGURE" */
	const uint32_t *flood_rates; /* SYNs a second, ended by 0 */
	struct plan plan;
	uint64_t started_ns, deadline_ns;
	unsigned int done, total; /* steps, for the progress bar */

	/* While a contender runs. */
	unsigned int current, round;
	struct running running;
	struct flood flood;
	struct tally *scratch; /* shared with children */
	char reason[JOB_REASON_SIZE]; /* why the measure failed; empty: the errno says it */
};

/*
 * Measures, prints, and writes results.json and the plots. 0; -EINTR; -EINVAL: an option names nothing that there is;
 * -errno. All logged.
 */
int bench_run(const struct bench_options *options);

/* For the measures, about the contender that runs. */
const struct contender *bench_contender(const struct bench *bench);
struct tallies *bench_tallies(struct bench *bench);
void bench_record(struct bench *bench, const char *figure, double value);
void bench_record_reason(struct bench *bench, const char *figure, const char *reason);
/* Words the reason of the failure; returns err. */
int bench_fail(struct bench *bench, int err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* For the reports: the median of a contender's figure; false if there is none. */
bool bench_get(const struct bench *bench, const char *contender, const char *figure, double *out);
const struct samples *bench_find(const struct bench *bench, const char *contender,
				 const char *figure);
int bench_find_contender(const struct bench *bench, const char *name); /* index or -1 */

#endif
