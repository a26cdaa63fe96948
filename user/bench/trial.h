/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a measure has to work with: the lab, the contender that runs in it, and the board on which its figures go. */
#ifndef NOLISTEN_TRIAL_H
#define NOLISTEN_TRIAL_H

#include "board.h"
#include "contender.h"
#include "flood.h"

struct trial {
	const struct lab *lab;
	const char *loader; /* path of nolisten-loader */
	struct bench_kern *kern;
	struct board *board;
	void *scratch; /* shared with children, TRIAL_SCRATCH_SIZE bytes */
	bool is_quick;

	/* Of the contender. */
	const struct contender *contender;
	struct contender restarted; /* a copy of it, by trial_restart_as() */
	struct board_row *row;
	struct running running;
	struct flood flood;
	char reason[JOB_REASON_SIZE]; /* why the measure failed; empty: the errno says it */
};

#define TRIAL_SCRATCH_SIZE (1 << 20)

void trial_record(struct trial *trial, const char *figure, double value);
void trial_record_share(struct trial *trial, const char *figure, double good, double of);
void trial_record_reason(struct trial *trial, const char *figure, const char *reason);
/* The contender anew, a loader with this option on top (NULL: none). 0, or -errno and the reason. */
int trial_restart(struct trial *trial, const char *option);
/* In place of what runs, another way to start it. */
int trial_restart_as(struct trial *trial, const struct contender *other);
/* Words the reason of the failure; returns err. */
int trial_fail(struct trial *trial, int err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
