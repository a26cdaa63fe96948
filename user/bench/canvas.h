/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One plot with curves, as commands for gnuplot: what all of them have in common. */
#ifndef NOLISTEN_CANVAS_H
#define NOLISTEN_CANVAS_H

#include <stdio.h>

#include "plot_cast.h"

#define CANVAS_HEIGHT 540

/* Its lines, and the range of its upright axis. */
struct canvas {
	const struct board *board;
	struct plot_line lines[PLOT_LINES_MAX];
	double end_x[PLOT_LINES_MAX], end_y[PLOT_LINES_MAX];
	unsigned int count;
	double low, high;
	bool is_log;
	double widening; /* of each line that others are drawn over, so that it shows beneath */
};

/* A string of gnuplot's; the text of a tic is a format, too. */
void canvas_write_quoted(FILE *file, const char *text);
void canvas_write_tic(FILE *file, const char *text);

/* DIR/NAME.svg. */
void canvas_begin(FILE *file, const char *dir, const char *name, unsigned int height);
/* The upright axis has this value, too. */
void canvas_widen(struct canvas *canvas, double value);
/* The upright axis is logarithmic, with tics at 1, 2, 5, 10, ... */
void canvas_write_log_range(FILE *file, struct canvas *canvas);
/* A line of the block $errorN, which must not be empty. One that has no interval is a point. */
void canvas_write_error(FILE *file, struct canvas *canvas, double x, const struct interval *of);
/* Each name in its curve's colour, and a thin line from its end. */
void canvas_write_labels(FILE *file, const struct canvas *canvas);
/* Blocks $curveN and $errorN are there, the range and all else is set. */
void canvas_write_curves(FILE *file, const struct canvas *canvas);

#endif
