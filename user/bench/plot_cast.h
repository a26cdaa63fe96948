/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Who is in a plot, in what colour, and where their names go. Pure. */
#ifndef NOLISTEN_PLOT_CAST_H
#define NOLISTEN_PLOT_CAST_H

#include "board.h"

#define PLOT_LINES_MAX 7

struct plot_line {
	unsigned int row; /* of the board */
	const char *name;
	const char *colour; /* "#222222" */
	unsigned int dash; /* gnuplot's dash type */
};

/*
 * Those that most depends on and the peers, of whom there is something to draw; if there is none of them, the first ones.
 * No two of them look alike. How many they are.
 */
unsigned int plot_cast(const struct board *board,
		       bool (*has_data)(const struct board *board, unsigned int row),
		       struct plot_line lines[PLOT_LINES_MAX]);
/* Of a contender that has a colour of its own; else a grey. */
const char *plot_colour(const char *name);

/* Move them apart by gap at least, in their order, as little as that takes, between 0 and 1. Not in order of size. */
void plot_spread(double *at, unsigned int count, double gap);

/* The next of 1, 2, 5, 10, ...: not above it, not below it. value > 0. */
double plot_step_below(double value);
double plot_step_above(double value);

#endif
