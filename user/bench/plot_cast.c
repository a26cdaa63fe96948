/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "plot_cast.h"

#include <math.h>
#include <string.h>

#include "contender.h"
#include "sheet.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define GREY "#8a929c"
#define ROUNDING (1 + 1e-9)

/* Colours that the colour-blind can tell apart, too. */
static const struct {
	const char *name, *colour;
} chosen[] = {
	{SHEET_KERNEL, "#222222"}, {"auto", "#0072b2"},	      {"accept", "#009e73"},
	{"engine", "#d55e00"},	   {"xdp-native", "#aa4499"},
};

/* Of the others in a plot, dashed. */
static const char *const spare[PLOT_LINES_MAX] = {"#e69f00", "#56b4e9", "#8c564b", "#7f7f00",
						  "#e7298a", "#332288", "#66a61e"};

const char *plot_colour(const char *name)
{
	for (size_t i = 0; i < COUNT(chosen); i++)
		if (!strcmp(chosen[i].name, name))
			return chosen[i].colour;
	return GREY;
}

static bool is_chosen(const char *name)
{
	return strcmp(plot_colour(name), GREY) != 0;
}

static bool is_peer(const char *name)
{
	for (const struct contender *contender = contender_table; contender->name; contender++)
		if (!strcmp(contender->name, name))
			return false;
	return true;
}

static bool is_anybody(const char *name)
{
	return !is_chosen(name);
}

struct choice {
	const struct board *board;
	bool (*has_data)(const struct board *board, unsigned int row);
	struct plot_line *lines;
	unsigned int count;
};

static void add_chosen(struct choice *choice)
{
	_Static_assert(COUNT(chosen) <= PLOT_LINES_MAX, "there is room for all of them");
	for (size_t i = 0; i < COUNT(chosen); i++) {
		const int row = board_find_row(choice->board, chosen[i].name);

		if (row < 0 || !choice->has_data(choice->board, (unsigned int)row))
			continue;
		choice->lines[choice->count++] =
			(struct plot_line){(unsigned int)row, chosen[i].name, chosen[i].colour, 1};
	}
}

static void add_others(struct choice *choice, bool (*is_wanted)(const char *name))
{
	unsigned int used = 0;

	for (unsigned int i = 0; i < choice->board->row_count; i++) {
		const char *name = choice->board->rows[i].name;

		if (choice->count == PLOT_LINES_MAX)
			return;
		if (is_chosen(name) || !is_wanted(name) || !choice->has_data(choice->board, i))
			continue;
		choice->lines[choice->count++] = (struct plot_line){i, name, spare[used], used + 2};
		used++;
	}
}

unsigned int plot_cast(const struct board *board,
		       bool (*has_data)(const struct board *board, unsigned int row),
		       struct plot_line lines[PLOT_LINES_MAX])
{
	struct choice choice = {board, has_data, lines, 0};

	add_chosen(&choice);
	add_others(&choice, is_peer);
	if (!choice.count)
		add_others(&choice, is_anybody);
	return choice.count;
}

static void order_by_size(const double *at, unsigned int count, unsigned int *order)
{
	for (unsigned int i = 0; i < count; i++) {
		unsigned int place = i;

		for (; place && at[order[place - 1]] > at[i]; place--)
			order[place] = order[place - 1];
		order[place] = i;
	}
}

void plot_spread(double *at, unsigned int count, double gap)
{
	unsigned int order[PLOT_LINES_MAX];
	double bound = 1;

	order_by_size(at, count, order);
	for (unsigned int i = 1; i < count; i++)
		at[order[i]] = fmax(at[order[i]], at[order[i - 1]] + gap);
	/* What that has pushed out at the top pushes the others down. */
	for (unsigned int i = count; i--; bound = at[order[i]] - gap)
		at[order[i]] = fmin(at[order[i]], bound);
}

static double step_of(double decade, double value)
{
	static const double steps[] = {5, 2, 1};

	for (size_t i = 0; i < COUNT(steps); i++)
		if (steps[i] * decade <= value * ROUNDING)
			return steps[i] * decade;
	return decade;
}

double plot_step_below(double value)
{
	return step_of(pow(10, floor(log10(value * ROUNDING))), value);
}

double plot_step_above(double value)
{
	const double below = plot_step_below(value);

	/* Twice or two and a half times as much. */
	return below * ROUNDING >= value ? below : plot_step_below(below * 2.5 * ROUNDING);
}
