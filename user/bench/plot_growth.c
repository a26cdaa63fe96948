/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "plot_growth.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "canvas.h"
#include "sheet.h"

/* What a plot is of: figures "PREFIX.COUNT.UNIT" of so many counts. */
struct series {
	const char *prefix, *unit;
	const unsigned int *counts;
	unsigned int steps;
	double scale; /* what is drawn is the figure divided by it */
};

static const struct series rates = {"growth", "per_s", growth_flows, GROWTH_STEPS, 1000};
static const struct series memories = {"growth", "mib", growth_flows, GROWTH_STEPS, 1};
static const struct series prefixes = {"answered.prefixes", "per_s", answered_prefixes,
				       ANSWERED_STEPS, 1e6};
static const struct series ports = {"answered.ports", "per_s", answered_ports, ANSWERED_STEPS, 1e6};

static bool get(const struct board *board, const char *name, const struct series *series,
		unsigned int step, struct interval *out)
{
	char figure[SAMPLES_NAME_SIZE];

	snprintf(figure, sizeof(figure), "%s.%u.%s", series->prefix, series->counts[step],
		 series->unit);
	if (!board_get(board, name, figure, out))
		return false;
	out->value /= series->scale;
	out->low /= series->scale;
	out->high /= series->scale;
	return true;
}

static bool has(const struct board *board, unsigned int row, const struct series *series)
{
	struct interval ignored;

	for (unsigned int i = 0; i < series->steps; i++)
		if (get(board, board->rows[row].name, series, i, &ignored))
			return true;
	return false;
}

static void write_line(FILE *file, struct canvas *canvas, unsigned int index, const char *name,
		       const struct series *series)
{
	struct interval value;

	fprintf(file, "$curve%u << EOD\n", index);
	for (unsigned int i = 0; i < series->steps; i++) {
		if (!get(canvas->board, name, series, i, &value))
			continue;
		canvas->end_x[index] = series->counts[i];
		canvas->end_y[index] = value.value;
		fprintf(file, "%g %g\n", canvas->end_x[index], value.value);
	}
	fprintf(file, "EOD\n$error%u << EOD\n", index);
	for (unsigned int i = 0; i < series->steps; i++)
		if (get(canvas->board, name, series, i, &value))
			canvas_write_error(file, canvas, series->counts[i], &value);
	fputs("EOD\n", file);
}

static void finish(FILE *file, struct canvas *canvas, double low, double high)
{
	fputs("set logscale x\nset xtics ('1' 1, '10' 10, '100' 100, '1,000' 1000, '10,000' 10000, "
	      "'100,000' 100000, '1,000,000' 1000000)\n",
	      file);
	fprintf(file, "set xrange [%g:%g]\n", low * 0.999, high * 1.001);
	if (canvas->is_log)
		fputs("set logscale y\n", file);
	if (canvas->is_log)
		canvas_write_log_range(file, canvas);
	else
		fprintf(file, "set yrange [0:%g]\n", canvas->high * 1.1);
	canvas->low = canvas->is_log ? canvas->low : 0;
	canvas->high = canvas->is_log ? canvas->high : canvas->high * 1.1;
	canvas_write_labels(file, canvas);
	canvas_write_curves(file, canvas);
}

static void plot_by_contender(FILE *file, struct canvas *canvas, const struct series *series)
{
	double most = series->counts[0];

	for (unsigned int i = 0; i < canvas->count; i++) {
		write_line(file, canvas, i, canvas->lines[i].name, series);
		most = fmax(most, canvas->end_x[i]);
	}
	fputs("set xlabel 'established flows'\n", file);
	finish(file, canvas, series->counts[0], most);
}

bool plot_growth_has_flows(const struct board *board, unsigned int row)
{
	return has(board, row, &rates);
}

void plot_growth_flows(FILE *file, const struct board *board, const char *dir)
{
	struct canvas canvas = {.board = board, .high = 0.001};

	canvas.count = plot_cast(board, plot_growth_has_flows, canvas.lines);
	canvas_begin(file, dir, "growth", CANVAS_HEIGHT);
	fputs("set title 'Connections a second, 32 at once, among established flows; bars: 95 % interval'\n"
	      "set ylabel 'thousand a second'\n",
	      file);
	plot_by_contender(file, &canvas, &rates);
}

bool plot_growth_has_memory(const struct board *board, unsigned int row)
{
	return has(board, row, &memories);
}

void plot_growth_memory(FILE *file, const struct board *board, const char *dir)
{
	struct canvas canvas = {.board = board, .low = INFINITY, .high = -INFINITY, .is_log = true};

	canvas.count = plot_cast(board, plot_growth_has_memory, canvas.lines);
	canvas_begin(file, dir, "memory", CANVAS_HEIGHT);
	fputs("set title 'Memory of the server and of sockets, by established flows'\n"
	      "set ylabel 'MiB'\n",
	      file);
	plot_by_contender(file, &canvas, &memories);
}

bool plot_growth_has_answered(const struct board *board, unsigned int row)
{
	return has(board, row, &prefixes) || has(board, row, &ports);
}

/* Of the first contender that has them. */
void plot_growth_answered(FILE *file, const struct board *board, const char *dir)
{
	struct canvas canvas = {
		.board = board,
		.lines = {{0, "prefixes", "#0072b2", 1}, {0, "ports", "#d55e00", 2}},
		.count = 2,
		.high = 0.001};
	unsigned int row = 0;

	while (row + 1 < board->row_count && !plot_growth_has_answered(board, row))
		row++;
	canvas_begin(file, dir, "answered", CANVAS_HEIGHT);
	write_line(file, &canvas, 0, board->rows[row].name, &prefixes);
	write_line(file, &canvas, 1, board->rows[row].name, &ports);
	fprintf(file,
		"set title 'SYN-ACKs a second of %s, by what is answered; bars: 95 %% interval'\n"
		"set ylabel 'million a second'\nset xlabel 'prefixes, ports'\n",
		board->rows[row].name);
	finish(file, &canvas, 1, 65536);
}
