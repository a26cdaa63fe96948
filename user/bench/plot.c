/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Plots as SVG, drawn by gnuplot, which gets its data with its commands on standard input. A curve's name is beside its
 * end, in the margin, so all curves end at the right: of latencies that is the rarest.
 */
#include "plot.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "canvas.h"
#include "job.h"
#include "log.h"
#include "plot_growth.h"

#define COMMAND_NOT_FOUND "gnuplot: No such file or directory"
#define BAR_HEIGHT 34
#define BARS_FRAME 130 /* title and axis */

static bool has_latencies(const struct board *board, unsigned int row)
{
	return board->rows[row].tallies.idle.connect.count;
}

/* Against the share that is slower, the rarest at the right. */
static void write_latencies(FILE *file, struct canvas *canvas, unsigned int index)
{
	const struct board_row *row = &canvas->board->rows[canvas->lines[index].row];
	const struct histogram *histogram = &row->tallies.idle.connect;
	uint64_t below = 0;

	fprintf(file, "$curve%u << EOD\n", index);
	for (unsigned int i = 0; i < HISTOGRAM_BUCKETS; i++) {
		const double us = histogram_middle(i) / 1000;

		if (!histogram->buckets[i] || us <= 0)
			continue;
		canvas->end_x[index] =
			(double)(histogram->count - below) / (double)histogram->count;
		canvas->end_y[index] = us;
		canvas_widen(canvas, us);
		fprintf(file, "%g %g\n", canvas->end_x[index], us);
		below += histogram->buckets[i];
	}
	fputs("EOD\n", file);
}

static void write_latency_errors(FILE *file, struct canvas *canvas, unsigned int index)
{
	static const struct {
		const char *figure;
		double share;
	} quantiles[] = {
		{"connect.p50_us", 0.5}, {"connect.p99_us", 0.01}, {"connect.p999_us", 0.001}};
	/* Beside each other, or one would hide the next. */
	const double aside = 1 + 0.06 * ((double)index - (canvas->count - 1) / 2.0);
	struct interval interval;

	fprintf(file, "$error%u << EOD\nNaN NaN NaN NaN\n", index);
	for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++)
		if (board_get(canvas->board, canvas->lines[index].name, quantiles[i].figure,
			      &interval))
			canvas_write_error(file, canvas, quantiles[i].share * aside, &interval);
	fputs("EOD\n", file);
}

static void plot_latency(FILE *file, const struct board *board, const char *dir)
{
	struct canvas canvas = {.board = board, .low = INFINITY, .high = -INFINITY, .is_log = true};
	double rarest = 0.1;

	canvas.count = plot_cast(board, has_latencies, canvas.lines);
	canvas_begin(file, dir, "latency", CANVAS_HEIGHT);
	for (unsigned int i = 0; i < canvas.count; i++) {
		write_latencies(file, &canvas, i);
		write_latency_errors(file, &canvas, i);
		rarest = fmin(rarest, canvas.end_x[i]);
	}
	fputs("set title 'connect(), idle; bars: 95 % interval of p50, p99, p99.9'\n"
	      "set ylabel 'microseconds'\nset xlabel 'share of connections that are faster'\n"
	      "set logscale xy\n"
	      "set xtics ('0 %%' 1, '50 %%' 0.5, '90 %%' 0.1, '99 %%' 0.01, '99.9 %%' 0.001, "
	      "'99.99 %%' 0.0001, '99.999 %%' 0.00001)\n",
	      file);
	fprintf(file, "set xrange [1:%g]\n", rarest);
	canvas_write_log_range(file, &canvas);
	canvas_write_labels(file, &canvas);
	canvas_write_curves(file, &canvas);
}

static bool get_success(const struct board *board, const char *name, uint32_t rate,
			struct interval *out)
{
	char figure[SAMPLES_NAME_SIZE];

	snprintf(figure, sizeof(figure), "flood.%u.success_pct", rate);
	return board_get(board, name, figure, out);
}

static bool has_success(const struct board *board, unsigned int row)
{
	struct interval ignored;

	for (const uint32_t *rate = board->flood_rates; *rate; rate++)
		if (get_success(board, board->rows[row].name, *rate, &ignored))
			return true;
	return false;
}

static void write_success(FILE *file, struct canvas *canvas, unsigned int index)
{
	const char *name = canvas->lines[index].name;
	struct interval success;

	fprintf(file, "$curve%u << EOD\n", index);
	for (const uint32_t *rate = canvas->board->flood_rates; *rate; rate++) {
		if (!get_success(canvas->board, name, *rate, &success))
			continue;
		canvas->end_x[index] = *rate / 1000.0;
		canvas->end_y[index] = success.value;
		fprintf(file, "%g %g\n", canvas->end_x[index], success.value);
	}
	fprintf(file, "EOD\n$error%u << EOD\n", index);
	for (const uint32_t *rate = canvas->board->flood_rates; *rate; rate++)
		if (get_success(canvas->board, name, *rate, &success))
			canvas_write_error(file, canvas, *rate / 1000.0, &success);
	fputs("EOD\n", file);
}

static void plot_flood(FILE *file, const struct board *board, const char *dir)
{
	struct canvas canvas = {.board = board, .low = -2, .high = 102, .widening = 0.6};
	const uint32_t *rate = board->flood_rates;

	canvas.count = plot_cast(board, has_success, canvas.lines);
	canvas_begin(file, dir, "flood", CANVAS_HEIGHT);
	for (unsigned int i = 0; i < canvas.count; i++)
		write_success(file, &canvas, i);
	fputs("set title 'Clients during a SYN flood; bars: 95 % interval'\n"
	      "set xlabel 'thousand SYNs a second'\nset ylabel '% of clients served'\n",
	      file);
	fprintf(file, "set yrange [%g:%g]\nset offsets graph 0.02, 0, 0, 0\n", canvas.low,
		canvas.high);
	fputs("set xtics (", file);
	for (; *rate; rate++)
		fprintf(file, "%s%g", rate == board->flood_rates ? "" : ", ", *rate / 1000.0);
	fputs(")\n", file);
	canvas_write_labels(file, &canvas);
	canvas_write_curves(file, &canvas);
}

static bool get_throughput(const struct board *board, unsigned int row, struct interval *out)
{
	return board_get(board, board->rows[row].name, "synack.per_s", out);
}

static bool has_throughput(const struct board *board, unsigned int row)
{
	struct interval ignored;

	return get_throughput(board, row, &ignored);
}

/* Lying bars, so that all names have room: place, value, interval, where the number goes, colour, number. */
static void write_bars(FILE *file, const struct board *board, double *most)
{
	struct interval rate;
	unsigned int count = 0;

	fputs("$bars << EOD\n", file);
	for (unsigned int i = 0; i < board->row_count; i++) {
		double end;

		if (!get_throughput(board, i, &rate))
			continue;
		end = isfinite(rate.high) ? rate.high : rate.value;
		fprintf(file, "%u %.4f ", count++, rate.value / 1e6);
		if (isfinite(rate.low) && isfinite(rate.high))
			fprintf(file, "%.4f %.4f", rate.low / 1e6, rate.high / 1e6);
		else
			fputs("NaN NaN", file);
		fprintf(file, " %.4f 0x%s %.2f\n", end / 1e6, plot_colour(board->rows[i].name) + 1,
			rate.value / 1e6);
		*most = fmax(*most, end / 1e6);
	}
	fputs("EOD\n", file);
}

static void write_bar_names(FILE *file, const struct board *board)
{
	unsigned int count = 0;
	size_t longest = 0;

	fputs("set ytics (", file);
	for (unsigned int i = 0; i < board->row_count; i++) {
		if (!has_throughput(board, i))
			continue;
		if (count)
			fputs(", ", file);
		canvas_write_tic(file, board->rows[i].name);
		fprintf(file, " %u", count++);
		if (strlen(board->rows[i].name) > longest)
			longest = strlen(board->rows[i].name);
	}
	fprintf(file, ")\nset lmargin %zu\n", longest + 3);
}

static unsigned int count_bars(const struct board *board)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < board->row_count; i++)
		count += has_throughput(board, i);
	return count;
}

static void plot_throughput(FILE *file, const struct board *board, const char *dir)
{
	const unsigned int count = count_bars(board);
	double most = 0;

	canvas_begin(file, dir, "throughput", BARS_FRAME + count * BAR_HEIGHT);
	write_bars(file, board, &most);
	write_bar_names(file, board);
	fputs("set title 'SYN-ACKs a second; bars: 95 % interval'\n"
	      "set xlabel 'million a second'\nset grid noytics\nset style fill solid 0.75\n",
	      file);
	fprintf(file, "set xrange [0:%g]\nset yrange [%g:-0.6]\n", most > 0 ? most * 1.15 : 1,
		count - 0.4);
	fputs("plot $bars using 2:1:(0):2:($1-0.35):($1+0.35):6 with boxxyerror lc rgb variable, "
	      "$bars using 2:1:3:4 with xerrorbars pt -1 lw 1.5 lc rgb '#000000', "
	      "$bars using 5:1:(strcol(7)) with labels left offset 1,0 tc rgb '#222222'\n",
	      file);
}

static const struct plot {
	const char *name;
	bool (*has_data)(const struct board *board, unsigned int row);
	void (*draw)(FILE *file, const struct board *board, const char *dir);
} plots[] = {
	{"latency", has_latencies, plot_latency},
	{"flood", has_success, plot_flood},
	{"throughput", has_throughput, plot_throughput},
	{"growth", plot_growth_has_flows, plot_growth_flows},
	{"memory", plot_growth_has_memory, plot_growth_memory},
	{"answered", plot_growth_has_answered, plot_growth_answered},
};

static bool is_due(const struct board *board, const struct plot *plot)
{
	for (unsigned int i = 0; i < board->row_count; i++)
		if (plot->has_data(board, i))
			return true;
	return false;
}

const char *plot_at(const struct board *board, size_t index)
{
	for (size_t i = 0; i < sizeof(plots) / sizeof(plots[0]); i++)
		if (is_due(board, &plots[i]) && !index--)
			return plots[i].name;
	return NULL;
}

void plot_write(FILE *file, const struct board *board, const char *dir)
{
	for (size_t i = 0; i < sizeof(plots) / sizeof(plots[0]); i++)
		if (is_due(board, &plots[i]))
			plots[i].draw(file, board, dir);
}

static char *write_commands(const struct board *board, const char *dir)
{
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	if (!file)
		return NULL;
	plot_write(file, board, dir);
	fclose(file);
	return text;
}

int plot_draw(const struct board *board, const char *dir)
{
	char *commands = write_commands(board, dir), *argv[] = {"gnuplot", "-", NULL};
	const struct job_command command = {.argv = argv, .input = commands};
	char reason[JOB_REASON_SIZE];
	int err;

	if (!commands)
		return -ENOMEM;
	err = job_run_command(NULL, &command, reason);
	free(commands);
	if (err && !strcmp(reason, COMMAND_NOT_FOUND))
		log_warning("bench: no plots: gnuplot is not installed (Debian: gnuplot-nox)");
	else if (err)
		log_warning("bench: no plots: gnuplot: %s", reason);
	return err;
}
