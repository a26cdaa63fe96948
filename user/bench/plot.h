/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What came out of it, as plots. */
#ifndef NOLISTEN_PLOT_H
#define NOLISTEN_PLOT_H

#include <stddef.h>
#include <stdio.h>

#include "board.h"

/* NAME.svg, of what there is, into the folder. -ENOENT if there is no gnuplot; logged. */
int plot_draw(const struct board *board, const char *dir);

/* What gnuplot is told for that. */
void plot_write(FILE *file, const struct board *board, const char *dir);

/* The index-th plot of which there is something to draw: "latency", "flood", "throughput"; NULL: there are no more. */
const char *plot_at(const struct board *board, size_t index);

#endif
