/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "bench_report.h"

#include <stdio.h>

#include "clock.h"
#include "goals.h"
#include "sheet.h"

#define NAME_WIDTH 14
#define COLUMN_WIDTH 13

static bool is_shown(const struct board *board, const struct sheet *sheet,
		     const struct board_row *row)
{
	return !row->is_unknown && board_find(board, row->name, sheet->figures[0].name);
}

static void print_ratio(const struct board *board, const char *contender, const char *figure,
			const char *reference, const char *reference_figure)
{
	double ratio;

	if (board_compare(board, contender, figure, reference, reference_figure, &ratio))
		printf(" %9.*fx", ratio < 0.1 ? 3 : 2, ratio);
	else
		printf(" %10s", "-");
}

/* Which of the row's figures are missing, and why the first of them is. */
static void print_missing(const struct board *board, const struct sheet *sheet,
			  const struct board_row *row)
{
	const struct figure *first = NULL;
	bool has_any = false;
	double value;

	for (const struct figure *figure = sheet->figures; figure->name; figure++) {
		if (board_get(board, row->name, figure->name, &value))
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
	double value;

	printf("  %-*s", NAME_WIDTH, row->name);
	for (const struct figure *figure = sheet->figures; figure->name; figure++) {
		if (board_get(board, row->name, figure->name, &value))
			printf(" %*.*f", COLUMN_WIDTH, figure->decimals, value);
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
	printf("%s%s\n", sheet->compared ? "   x kernel" : "", sheet->limit ? "    x limit" : "");
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
	double value;

	for (unsigned int threads = 1; threads <= HANDOFF_THREADS_MAX; threads *= 2) {
		snprintf(figure, sizeof(figure), "handoff.%u.per_s", threads);
		if (!board_find(board, HANDOFF_NAME, figure))
			continue;
		if (!has_head)
			printf("\nhand-offs a second, by threads\n");
		has_head = true;
		if (board_get(board, HANDOFF_NAME, figure, &value))
			printf("  %-*u %*.0f\n", NAME_WIDTH, threads, COLUMN_WIDTH, value);
		else
			printf("  %-*u %*s  - not taken: %s\n", NAME_WIDTH, threads, COLUMN_WIDTH,
			       "-", board_reason(board, HANDOFF_NAME, figure));
	}
}

static void print_goals(const struct board *board)
{
	struct goal_result result;
	bool has_head = false;

	for (size_t i = 0; i < goal_count(); i++) {
		if (!goal_judge(board, i, &result))
			continue;
		if (!has_head)
			printf("\ngoals\n");
		has_head = true;
		printf("  %-64s %-14s", result.text, result.limit);
		if (result.state == GOAL_UNKNOWN)
			printf(" %10s  not taken: %s\n", "-", result.reason);
		else
			printf(" %10.2f  %s\n", result.value,
			       result.state == GOAL_MET ? "met" : "NOT MET");
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
	printf("%s\n", board->conditions);
	for (const struct sheet *sheet = sheet_table; sheet->name; sheet++)
		print_sheet(board, sheet);
	print_handoff(board);
	print_left_out(board);
	print_goals(board);
	printf("\ntook %.0f s\n",
	       (double)(clock_monotonic_ns() - board->started_ns) / CLOCK_NS_PER_S);
	fflush(stdout);
}
