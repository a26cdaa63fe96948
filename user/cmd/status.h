/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How status tells people what a loader has answered. */
#ifndef NOLISTEN_STATUS_H
#define NOLISTEN_STATUS_H

#include <stdio.h>

#include <jansson.h>

/* Counters that are 0 are left out, but for a few. status: as in report.h. */
void status_print(FILE *out, const json_t *status);

#endif
