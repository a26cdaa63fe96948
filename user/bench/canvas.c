/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "canvas.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH 900
#define LABEL_GAP 0.055
#define LABEL_AT 1.03 /* of the plot's width */

/* A quoted string of gnuplot's: those of "twice" in it, a quote among them, are doubled. */
static void write_doubling(FILE *file, const char *text, const char *twice)
{
	fputc('\'', file);
	for (; *text; text++) {
		if (strchr(twice, *text))
			fputc(*text, file);
		fputc((unsigned char)*text < ' ' ? ' ' : *text, file);
	}
	fputc('\'', file);
}

void canvas_write_quoted(FILE *file, const char *text)
{
	write_doubling(file, text, "'");
}

void canvas_write_tic(FILE *file, const char *text)
{
	write_doubling(file, text, "'%");
}

void canvas_begin(FILE *file, const char *dir, const char *name, unsigned int height)
{
	char *path;

	if (asprintf(&path, "%s/%s.svg", dir, name) < 0)
		return;
	fprintf(file,
		"reset\nset terminal svg noenhanced name '%s' size %d,%u font 'sans,13' "
		"background '#ffffff'\nset output ",
		name, WIDTH, height);
	canvas_write_quoted(file, path);
	fputs("\nset key off\nset border 3 lc rgb '#666666'\nset tics out nomirror\n"
	      "set grid lc rgb '#d8d8d8' lt 1 lw 0.5\n",
	      file);
	free(path);
}

void canvas_widen(struct canvas *canvas, double value)
{
	canvas->low = fmin(canvas->low, value);
	canvas->high = fmax(canvas->high, value);
}

static double place_of(const struct canvas *canvas, double y)
{
	return canvas->is_log ? log(y / canvas->low) / log(canvas->high / canvas->low)
			      : (y - canvas->low) / (canvas->high - canvas->low);
}

void canvas_write_labels(FILE *file, const struct canvas *canvas)
{
	double at[PLOT_LINES_MAX];
	size_t longest = 0;

	for (unsigned int i = 0; i < canvas->count; i++) {
		at[i] = place_of(canvas, canvas->end_y[i]);
		longest = strlen(canvas->lines[i].name) > longest ? strlen(canvas->lines[i].name)
								  : longest;
	}
	plot_spread(at, canvas->count, LABEL_GAP);
	fprintf(file, "set rmargin %zu\n", longest + 6);
	for (unsigned int i = 0; i < canvas->count; i++) {
		const char *colour = canvas->lines[i].colour;

		fputs("set label ", file);
		canvas_write_quoted(file, canvas->lines[i].name);
		fprintf(file, " at graph %g,%g left tc rgb '%s'\n", LABEL_AT, at[i], colour);
		fprintf(file, "set arrow from %g,%g to graph %g,%g nohead lc rgb '%s' lw 0.7\n",
			canvas->end_x[i], canvas->end_y[i], LABEL_AT - 0.005, at[i], colour);
	}
}

/*
 * Blocks $curveN and $errorN are there. Intervals are arrows with flat heads: around error bars gnuplot erases what is
 * beneath.
 */
void canvas_write_curves(FILE *file, const struct canvas *canvas)
{
	for (unsigned int i = 0; i < canvas->count; i++) {
		const struct plot_line *line = &canvas->lines[i];

		fprintf(file, "%s$curve%u with lines lw %g dt %u lc rgb '%s'", i ? ", " : "plot ",
			i, 2 + canvas->widening * (canvas->count - 1 - i), line->dash,
			line->colour);
		fprintf(file,
			", $error%u using 1:3:(0):($4-$3) with vectors heads size graph 0.006,90 "
			"nofilled lw 1.5 lc rgb '%s'",
			i, line->colour);
		fprintf(file, ", $error%u using 1:2 with points pt 7 ps 0.4 lc rgb '%s'", i,
			line->colour);
	}
	fputs("\n", file);
}

void canvas_write_error(FILE *file, struct canvas *canvas, double x, const struct interval *of)
{
	const bool has_bar = isfinite(of->low) && isfinite(of->high);
	const double low = has_bar ? of->low : of->value, high = has_bar ? of->high : of->value;

	if (canvas->is_log && low <= 0)
		return;
	canvas_widen(canvas, low);
	canvas_widen(canvas, high);
	fprintf(file, "%g %g %g %g\n", x, of->value, low, high);
}

void canvas_write_log_range(FILE *file, struct canvas *canvas)
{
	const char *separator = "";

	canvas->low = plot_step_below(canvas->low);
	canvas->high = plot_step_above(canvas->high);
	if (canvas->high <= canvas->low)
		canvas->high = plot_step_above(canvas->low * 1.5);
	/* A tic just at the end is left out now and then. */
	fprintf(file, "set yrange [%g:%g]\nset ytics (", canvas->low * 0.999, canvas->high * 1.001);
	for (double tic = canvas->low; tic <= canvas->high * 1.001;
	     tic = plot_step_above(tic * 1.5)) {
		fprintf(file, "%s%g", separator, tic);
		separator = ", ";
	}
	fputs(")\n", file);
}
