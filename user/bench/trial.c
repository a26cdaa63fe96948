/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "trial.h"

#include <stdarg.h>
#include <stdio.h>

void trial_record(struct trial *trial, const char *figure, double value)
{
	board_record(trial->board, trial->row->name, figure, value);
}

void trial_record_reason(struct trial *trial, const char *figure, const char *reason)
{
	board_record_reason(trial->board, trial->row->name, figure, reason);
}

int trial_fail(struct trial *trial, int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(trial->reason, sizeof(trial->reason), format, args);
	va_end(args);
	return err;
}
