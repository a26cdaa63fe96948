/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which of the project's goals are met by what the board says. */
#ifndef NOLISTEN_GOALS_H
#define NOLISTEN_GOALS_H

#include <stdbool.h>
#include <stddef.h>

#include "board.h"

/* A goal of a figure that was not asked for is left out. */
enum goal_state {
	GOAL_MET,
	GOAL_MISSED,
	GOAL_UNKNOWN, /* not taken */
};

struct goal_result {
	const char *text;
	char limit[32]; /* "at most 0.6x" */
	enum goal_state state;
	double value; /* of the ratio, difference or figure */
	const char *reason; /* GOAL_UNKNOWN */
};

size_t goal_count(void);
/* False: not asked for. */
bool goal_judge(const struct board *board, size_t index, struct goal_result *out);

#endif
