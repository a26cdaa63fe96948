/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "trial.h"

#include <stdarg.h>
#include <stdio.h>

void trial_record(struct trial *trial, const char *figure, double value)
{
	board_record(trial->board, trial->row->name, figure, value);
}

void trial_record_share(struct trial *trial, const char *figure, double good, double of)
{
	board_record_share(trial->board, trial->row->name, figure, good, of);
}

void trial_record_reason(struct trial *trial, const char *figure, const char *reason)
{
	board_record_reason(trial->board, trial->row->name, figure, reason);
}

int trial_restart_as(struct trial *trial, const struct contender *other)
{
	int err;

	contender_stop(&trial->running, trial->lab);
	trial->restarted = *other;
	err = contender_start(&trial->restarted, trial->lab, trial->kern, trial->loader,
			      &trial->running);
	return err ? trial_fail(trial, err, "%s", trial->restarted.reason) : 0;
}

int trial_restart(struct trial *trial, const char *option)
{
	struct contender with_option = *trial->contender;

	with_option.option = option;
	return trial_restart_as(trial, &with_option);
}

int trial_fail(struct trial *trial, int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(trial->reason, sizeof(trial->reason), format, args);
	va_end(args);
	return err;
}
