/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which of the project's goals are met by what the board says. */
#ifndef NOLISTEN_GOALS_H
#define NOLISTEN_GOALS_H

#include <stdbool.h>
#include <stddef.h>

#include "board.h"

/* A goal of a figure that was not asked for is left out. */
enum goal_state {
	GOAL_MET, /* the whole interval is */
	GOAL_MISSED, /* the whole interval is on the other side */
	GOAL_UNSETTLED, /* the limit is within the interval, or the rounds are too few for one */
	GOAL_UNKNOWN, /* not taken */
};

struct goal_result {
	const char *text;
	char limit[32]; /* "at most 0.6x" */
	enum goal_state state;
	struct interval
		interval; /* of the ratio or figure, as the deciding look has it (looks.h) */
	const char *reason; /* GOAL_UNKNOWN */
};

size_t goal_count(void);
/* False: not asked for. */
bool goal_judge(const struct board *board, size_t index, struct goal_result *out);
/* "met", "NOT MET", "not settled", "not taken" */
const char *goal_verdict(enum goal_state state);
/* Does that goal rest on this measure of this contender? */
bool goal_rests_on(size_t index, const char *contender, const char *measure);

#endif
