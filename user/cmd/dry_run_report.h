/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What --dry-run has found out about an interface. Seen by dry_run*.c only. */
#ifndef NOLISTEN_DRY_RUN_REPORT_H
#define NOLISTEN_DRY_RUN_REPORT_H

#include <jansson.h>

#include "core.h"
#include "survey.h"

struct dry_run_report {
	const struct config *config;
	struct core *core; /* NULL: it could not be opened */
	struct core_plan plan; /* with core */
	struct survey_listener *listeners; /* kernel sockets on answered ports */
	int listener_count;
	struct survey survey;
};

/* What it would attach, answer, guard, serve and change: a section, what, and how. Whole texts. */
typedef void (*dry_run_fn)(void *context, const char *section, const char *what, const char *how);
void dry_run_visit(const struct dry_run_report *report, dry_run_fn fn, void *context);

void dry_run_print(const struct dry_run_report *report);
/* An object; NULL: no memory. */
json_t *dry_run_to_json(const struct dry_run_report *report);

#endif
