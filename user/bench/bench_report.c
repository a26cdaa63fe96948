/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "bench_report.h"

#include <math.h>
#include <stdio.h>

#include "clock.h"
#include "goals.h"
#include "sheet.h"

#define NAME_WIDTH 14
#define COLUMN_WIDTH 13
#define RATIO_WIDTH 22
#define RATIO_SIZE 64

static bool is_shown(const struct board *board, const struct sheet *sheet,
		     const struct board_row *row)
{
	return !row->is_unknown && board_find(board, row->name, sheet->figures[0].name);
}

/* "0.97x [0.95, 0.99]"; without an interval of few values. */
static void write_interval(char text[RATIO_SIZE], const struct interval *interval, int decimals,
			   const char *unit)
{
	int len = snprintf(text, RATIO_SIZE, "%.*f%s", decimals, interval->value, unit);

	if (isfinite(interval->low) && len < RATIO_SIZE)
		snprintf(text + len, RATIO_SIZE - (size_t)len, " [%.*f, %.*f]", decimals,
			 interval->low, decimals, interval->high);
}

static void print_ratio(const struct board *board, const char *contender, const char *figure,
			const char *reference, const char *reference_figure)
{
	char text[RATIO_SIZE] = "-";
	struct interval ratio;

	if (board_compare(board, contender, figure, reference, reference_figure, &ratio))
		write_interval(text, &ratio, ratio.value < 0.1 ? 3 : 2, "x");
	printf(" %*s", RATIO_WIDTH, text);
}

/* Which of the row's figures are missing, and why the first of them is. */
static void print_missing(const struct board *board, const struct sheet *sheet,
			  const struct board_row *row)
{
	const struct figure *first = NULL;
	bool has_any = false;
	struct interval ignored;

	for (const struct figure *figure = sheet->figures; figure->name; figure++) {
		if (board_get(board, row->name, figure->name, &ignored))
			has_any = true;
		else if (!first)
			first = figure;
	}
	if (first)
		printf("  %s%snot taken: %s", has_any ? first->title : "", has_any ? " " : "",
		       board_reason(board, row->name, first->name));
}

static void print_row(const struct board *board, const struct sheet *sheet,
		      const struct board_row *row)
{
	struct interval value;

	printf("  %-*s", NAME_WIDTH, row->name);
	for (const struct figure *figure = sheet->figures; figure->name; figure++) {
		if (board_get(board, row->name, figure->name, &value))
			printf(" %*.*f", COLUMN_WIDTH, figure->decimals, value.value);
		else
			printf(" %*s", COLUMN_WIDTH, "-");
	}
	if (sheet->compared)
		print_ratio(board, row->name, sheet->compared, SHEET_KERNEL, sheet->compared);
	if (sheet->limit)
		print_ratio(board, row->name, sheet->compared, SHEET_LIMIT, sheet->limit);
	print_missing(board, sheet, row);
	printf("\n");
}

static void print_head(const struct sheet *sheet)
{
	printf("\n%s\n  %-*s", sheet->title, NAME_WIDTH, "");
	for (const struct figure *figure = sheet->figures; figure->name; figure++)
		printf(" %*s", COLUMN_WIDTH, figure->title);
	if (sheet->compared)
		printf(" %*s", RATIO_WIDTH, "x kernel [95 %]");
	if (sheet->limit)
		printf(" %*s", RATIO_WIDTH, "x limit [95 %]");
	printf("\n");
}

static void print_sheet(const struct board *board, const struct sheet *sheet)
{
	bool has_head = false;

	for (unsigned int i = 0; i < board->row_count; i++) {
		if (!is_shown(board, sheet, &board->rows[i]))
			continue;
		if (!has_head)
			print_head(sheet);
		has_head = true;
		print_row(board, sheet, &board->rows[i]);
	}
}

static void print_handoff(const struct board *board)
{
	bool has_head = false;
	char figure[32];
	struct interval value;

	for (unsigned int threads = 1; threads <= HANDOFF_THREADS_MAX; threads *= 2) {
		snprintf(figure, sizeof(figure), "handoff.%u.per_s", threads);
		if (!board_find(board, HANDOFF_NAME, figure))
			continue;
		if (!has_head)
			printf("\nhand-offs a second, by threads\n");
		has_head = true;
		if (board_get(board, HANDOFF_NAME, figure, &value))
			printf("  %-*u %*.0f\n", NAME_WIDTH, threads, COLUMN_WIDTH, value.value);
		else
			printf("  %-*u %*s  - not taken: %s\n", NAME_WIDTH, threads, COLUMN_WIDTH,
			       "-", board_reason(board, HANDOFF_NAME, figure));
	}
}

static void print_goal(const struct goal_result *result)
{
	char text[RATIO_SIZE];

	printf("  %-64s %-14s", result->text, result->limit);
	if (result->state == GOAL_UNKNOWN) {
		printf(" %*s  not taken: %s\n", RATIO_WIDTH, "-", result->reason);
		return;
	}
	write_interval(text, &result->interval, 2, "");
	printf(" %*s  %s, %u rounds\n", RATIO_WIDTH, text, goal_verdict(result->state),
	       result->interval.count);
}

static void print_goals(const struct board *board)
{
	struct goal_result result;
	bool has_head = false;

	for (size_t i = 0; i < goal_count(); i++) {
		if (!goal_judge(board, i, &result))
			continue;
		if (!has_head)
			printf("\ngoals, with the interval of the look that decided; all looks together are right in 95 of 100 runs\n");
		has_head = true;
		print_goal(&result);
	}
}

static void print_left_out(const struct board *board)
{
	bool has_any = false;

	for (unsigned int i = 0; i < board->row_count; i++) {
		if (!board->rows[i].is_unknown)
			continue;
		printf("%s%s", has_any ? ", " : "\nnot in this build: ", board->rows[i].name);
		has_any = true;
	}
	printf("%s", has_any ? "\n" : "");
}

void bench_report_print(const struct board *board)
{
	char machine[MACHINE_TEXT_SIZE];

	machine_describe(&board->machine, machine);
	printf("%s\n%s\n", board->conditions, machine);
	for (const struct sheet *sheet = sheet_table; sheet->name; sheet++)
		print_sheet(board, sheet);
	print_handoff(board);
	print_left_out(board);
	print_goals(board);
	printf("\ntook %.0f s\n",
	       (double)(clock_monotonic_ns() - board->started_ns) / CLOCK_NS_PER_S);
	fflush(stdout);
}
