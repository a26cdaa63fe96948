/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Three plots as SVG, drawn by gnuplot, which gets its data with its commands on standard input. */
#include "plot.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "job.h"
#include "log.h"

#define COMMAND_NOT_FOUND "gnuplot: No such file or directory"

/* A quoted string of gnuplot's: a quote in it is doubled. */
static void write_quoted(FILE *file, const char *text)
{
	fputc('\'', file);
	for (; *text; text++) {
		if (*text == '\'')
			fputc('\'', file);
		fputc(*text, file);
	}
	fputc('\'', file);
}

static void begin_plot(FILE *file, const char *dir, const char *name)
{
	char *path;

	if (asprintf(&path, "%s/%s.svg", dir, name) < 0)
		return;
	fputs("reset\nset terminal svg size 900,540 font 'sans,13' background '#ffffff'\n"
	      "set output ",
	      file);
	write_quoted(file, path);
	fputs("\nset grid\n", file);
	free(path);
}

/* "plot '-' with ..., '-' with ...": one for each contender that has data, then the data. */
struct curves {
	const char *style;
	bool (*has_data)(const struct board *board, unsigned int contender);
	void (*write_data)(FILE *file, const struct board *board, unsigned int contender);
};

static void write_curves(FILE *file, const struct board *board, const struct curves *curves)
{
	const char *separator = "plot ";

	for (unsigned int i = 0; i < board->row_count; i++) {
		if (!curves->has_data(board, i))
			continue;
		fprintf(file, "%s'-' %s title ", separator, curves->style);
		write_quoted(file, board->rows[i].name);
		separator = ", ";
	}
	fputc('\n', file);
	for (unsigned int i = 0; i < board->row_count; i++) {
		if (!curves->has_data(board, i))
			continue;
		curves->write_data(file, board, i);
		fputs("e\n", file);
	}
}

static bool has_latencies(const struct board *board, unsigned int contender)
{
	return board->rows[contender].tallies.idle.connect.count;
}

/* Against the share that is slower, so that the tail has room. */
static void write_latencies(FILE *file, const struct board *board, unsigned int contender)
{
	const struct histogram *histogram = &board->rows[contender].tallies.idle.connect;
	uint64_t below = 0;

	for (unsigned int i = 0; i < HISTOGRAM_BUCKETS; i++) {
		if (!histogram->buckets[i])
			continue;
		fprintf(file, "%g %g\n", histogram_middle(i) / 1000,
			(double)(histogram->count - below) / (double)histogram->count);
		below += histogram->buckets[i];
	}
}

static void plot_latency(FILE *file, const struct board *board, const char *dir)
{
	static const struct curves curves = {"with steps lw 2", has_latencies, write_latencies};

	begin_plot(file, dir, "latency");
	fputs("set title 'connect(), idle'\nset xlabel 'microseconds'\n"
	      "set ylabel 'share of connections that take longer'\nset logscale xy\n"
	      "set format y '%g'\n",
	      file);
	write_curves(file, board, &curves);
}

static bool has_success(const struct board *board, unsigned int contender)
{
	return board->rows[contender].tallies.under_flood[0].attempts;
}

static void write_success(FILE *file, const struct board *board, unsigned int contender)
{
	const struct tallies *tallies = &board->rows[contender].tallies;

	for (unsigned int i = 0; board->flood_rates[i]; i++) {
		const struct tally *tally = &tallies->under_flood[i];

		if (tally->attempts)
			fprintf(file, "%u %g\n", board->flood_rates[i] / 1000,
				tally->served * 100.0 / tally->attempts);
	}
}

static void plot_flood(FILE *file, const struct board *board, const char *dir)
{
	static const struct curves curves = {"with linespoints lw 2", has_success, write_success};

	begin_plot(file, dir, "flood");
	fputs("set title 'Clients during a SYN flood'\nset xlabel 'thousand SYNs a second'\n"
	      "set ylabel '% of clients served'\nset yrange [-2:102]\nset key bottom left\n",
	      file);
	write_curves(file, board, &curves);
}

static bool has_throughput(const struct board *board, unsigned int contender)
{
	double value;

	return board_get(board, board->rows[contender].name, "synack.per_s", &value);
}

static void plot_throughput(FILE *file, const struct board *board, const char *dir)
{
	double value;

	begin_plot(file, dir, "throughput");
	fputs("set title 'SYN-ACKs a second'\nset style fill solid 0.7\nset boxwidth 0.7\n"
	      "set yrange [0:*]\nset ylabel 'million a second'\nset xtics rotate by -35\n"
	      "plot '-' using 0:2:xtic(1) with boxes notitle, '-' using 0:1:1 with labels "
	      "offset 0,0.7 notitle\n",
	      file);
	for (unsigned int i = 0; i < board->row_count; i++) {
		if (!has_throughput(board, i))
			continue;
		board_get(board, board->rows[i].name, "synack.per_s", &value);
		fprintf(file, "\"%s\" %.3f\n", board->rows[i].name, value / 1e6);
	}
	fputs("e\n", file);
	for (unsigned int i = 0; i < board->row_count; i++) {
		if (!has_throughput(board, i))
			continue;
		board_get(board, board->rows[i].name, "synack.per_s", &value);
		fprintf(file, "%.2f\n", value / 1e6);
	}
	fputs("e\n", file);
}

static bool has_any(const struct board *board,
		    bool (*has)(const struct board *board, unsigned int contender))
{
	for (unsigned int i = 0; i < board->row_count; i++)
		if (has(board, i))
			return true;
	return false;
}

static char *write_commands(const struct board *board, const char *dir)
{
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	if (!file)
		return NULL;
	if (has_any(board, has_latencies))
		plot_latency(file, board, dir);
	if (has_any(board, has_success))
		plot_flood(file, board, dir);
	if (has_any(board, has_throughput))
		plot_throughput(file, board, dir);
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
