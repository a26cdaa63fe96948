/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * nolisten bench: ways to accept a connection, side by side.
 *
 * Theory of operation: a round starts each contender in turn, takes all measures of it and stops it; the next round
 * begins with the next one, so that a drift of the machine favours nobody. Ratios are of two figures of the same round.
 * How long a slice is comes from the time there is. When all rounds are over, more follow of what the goals that are not settled
 * rest on, until they are or the time is used up. A figure is the median of its rounds; what could not be taken
 * carries the reason.
 */
#ifndef NOLISTEN_BENCH_H
#define NOLISTEN_BENCH_H

#include <stdbool.h>
#include <stdint.h>

struct bench_options {
	bool is_quick;
	uint32_t time_s; /* for all of it, before the last slice ends; 0: 600, or 72 when quick */
	uint32_t slice_ms; /* no slice is longer; 0: as the time allows */
	const char *out_dir; /* NULL: write nothing */
	const char *only; /* names of measures, separated by commas; NULL: all */
	const char *methods; /* names of contenders; NULL: all */
	const char *loader; /* path of nolisten-loader, or NULL: */
	const char *no_loader; /* why there is none */
	char **peers; /* NAME:COMMAND */
	unsigned int peer_count;
};

/*
 * Measures, prints, and writes results.json, the plots and the page. 0; -EINTR; -EINVAL: an option names nothing that
 * there is; -errno. All logged.
 */
int bench_run(const struct bench_options *options);

#endif
