/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Two runs side by side, from their results.json. */
#ifndef NOLISTEN_COMPARE_H
#define NOLISTEN_COMPARE_H

#include "interval.h"
#include "sheet.h"

enum compare_verdict {
	COMPARE_BETTER, /* the whole interval is on one side */
	COMPARE_WORSE,
	COMPARE_DIFFERENT, /* of a figure that is neither */
	COMPARE_SAME, /* no change is within the interval */
	COMPARE_TOO_FEW, /* rounds for an interval */
	COMPARE_VERDICTS,
};

/* Pure. */
enum compare_verdict compare_judge(enum sheet_aim aim, const struct change *change);

/*
 * Prints each figure that both have. 0; -errno: it cannot be read; -EBADMSG: it is not JSON, or no results.json. All
 * logged.
 */
int compare_print(const char *old_path, const char *new_path);

#endif
