/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "board.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "name_list.h"

int board_open(struct board *board, unsigned int row_count)
{
	board->rows = calloc(row_count ?: 1, sizeof(*board->rows));
	if (!board->rows)
		return -ENOMEM;
	board->row_count = row_count;
	return 0;
}

void board_close(struct board *board)
{
	samples_free(&board->samples);
	free(board->rows);
	free(board->command);
	board->command = NULL;
	board->rows = NULL;
	board->row_count = 0;
}

static void full_name(char full[SAMPLES_NAME_SIZE], const char *name, const char *figure)
{
	snprintf(full, SAMPLES_NAME_SIZE, "%s.%s", name, figure);
}

void board_record(struct board *board, const char *name, const char *figure, double value)
{
	char full[SAMPLES_NAME_SIZE];

	full_name(full, name, figure);
	samples_add(&board->samples, full, board->round, value);
}

void board_record_share(struct board *board, const char *name, const char *figure, double good,
			double of)
{
	char full[SAMPLES_NAME_SIZE];

	full_name(full, name, figure);
	samples_add_share(&board->samples, full, board->round, good, of);
}

void board_record_reason(struct board *board, const char *name, const char *figure,
			 const char *reason)
{
	char full[SAMPLES_NAME_SIZE];

	full_name(full, name, figure);
	samples_add_reason(&board->samples, full, reason);
}

bool board_has_measure(const struct board *board, const char *measure)
{
	return !board->only || name_list_has(board->only, measure);
}

int board_find_row(const struct board *board, const char *name)
{
	for (unsigned int i = 0; i < board->row_count; i++)
		if (!strcmp(board->rows[i].name, name))
			return (int)i;
	return -1;
}

const struct samples *board_find(const struct board *board, const char *name, const char *figure)
{
	char full[SAMPLES_NAME_SIZE];

	full_name(full, name, figure);
	return samples_find(&board->samples, full);
}

bool board_get(const struct board *board, const char *name, const char *figure,
	       struct interval *out)
{
	return samples_interval(board_find(board, name, figure), out);
}

bool board_compare(const struct board *board, const char *name, const char *figure,
		   const char *reference, const char *reference_figure, struct interval *out)
{
	return samples_compare(board_find(board, name, figure),
			       board_find(board, reference, reference_figure), SAMPLES_RATIO, out);
}

const char *board_reason(const struct board *board, const char *name, const char *figure)
{
	const struct samples *samples = board_find(board, name, figure);
	const int index = board_find_row(board, name);

	if (samples && *samples->reason)
		return samples->reason;
	if (index >= 0 && *board->rows[index].reason)
		return board->rows[index].reason;
	return "it did not take part";
}
