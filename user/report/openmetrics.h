/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What loaders count, for Prometheus and those who speak its language: names as its conventions want them, base units. */
#ifndef NOLISTEN_OPENMETRICS_H
#define NOLISTEN_OPENMETRICS_H

#include <stdio.h>

#include <jansson.h>

enum openmetrics_form {
	OPENMETRICS_TEXT, /* Prometheus' own text format, version 0.0.4 */
	OPENMETRICS_1_0,
};

/* statuses: an array of objects as of snapshot_to_json(), each of another interface. Errors are out's. */
void openmetrics_write(FILE *out, const json_t *statuses, enum openmetrics_form form);
/* The media type of a form, as HTTP names it. */
const char *openmetrics_media_type(enum openmetrics_form form);

#endif
