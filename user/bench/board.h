/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The results as a table: a row for each contender, in which its figures and the latencies of all rounds are gathered.
 * Measures add to it; reports and goals see nothing else.
 */
#ifndef NOLISTEN_BOARD_H
#define NOLISTEN_BOARD_H

#include <stdbool.h>
#include <stdint.h>

#include "histogram.h"
#include "machine.h"
#include "samples.h"

#define BOARD_RATES_MAX 8
#define BOARD_CONDITIONS_SIZE 256

/* Latencies of clients of one kind, over all rounds. */
struct tally {
	struct histogram connect, first_byte;
};

/* idle: before any flood; under_flood: by index of rate. */
struct tallies {
	struct tally idle, under_flood[BOARD_RATES_MAX];
};

struct board_row {
	const char *name, *text;
	const char *reason; /* why it did not run the last time; empty: it did */
	bool is_unknown; /* this build does not have it */
	struct tallies tallies;
};

struct board {
	char conditions
		[BOARD_CONDITIONS_SIZE]; /* the machine: kernel, processor, CPUs that are used */
	char *command; /* the command line, for a shell; NULL: not known */
	struct machine machine; /* as it was before */
	const char *only; /* the measures that were asked for, separated by commas; NULL: all */
	const uint32_t *flood_rates; /* SYNs a second, ended by 0 */
	bool is_quick;
	uint32_t rounds; /* all that there were */
	uint32_t slice_ms;
	unsigned int round; /* the one that is on, from 0 */
	bool is_over; /* there will be no more of them */
	uint64_t started_ns;
	unsigned int row_count;
	struct board_row *rows;
	struct sample_set samples; /* "ROW.FIGURE" */
};

/* Empty rows, for the caller to name. -ENOMEM. */
int board_open(struct board *board, unsigned int row_count);
void board_close(struct board *board);

/* A row's name, or another that figures are recorded for; of this round. */
void board_record(struct board *board, const char *name, const char *figure, double value);
void board_record_share(struct board *board, const char *name, const char *figure, double good,
			double of);
void board_record_reason(struct board *board, const char *name, const char *figure,
			 const char *reason);

bool board_has_measure(const struct board *board, const char *measure); /* asked for */
int board_find_row(const struct board *board, const char *name); /* index or -1 */
/* NULL: there is neither a value nor a reason. */
const struct samples *board_find(const struct board *board, const char *name, const char *figure);
/* The median of the rounds, or a share of all; false if there is none. */
bool board_get(const struct board *board, const char *name, const char *figure,
	       struct interval *out);
/* Divided by the reference's of the same round; false if there is no round that has both. */
bool board_compare(const struct board *board, const char *name, const char *figure,
		   const char *reference, const char *reference_figure, struct interval *out);
/* Why there is no value, in words. */
const char *board_reason(const struct board *board, const char *name, const char *figure);

#endif
