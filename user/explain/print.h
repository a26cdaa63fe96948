/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The three looks of a story: lines as they happen, a drawing of each conversation, JSON. */
#ifndef NOLISTEN_PRINT_H
#define NOLISTEN_PRINT_H

#include <stdio.h>

#include "story.h"

struct printer {
	FILE *out;
	uint32_t id; /* the conversation that was printed last */
	uint32_t headed; /* conversations that have their heading */
};

/* Each is a tell of struct story, with a struct printer as context. */
void print_text(void *context, const struct story_line *line);
void print_drawing(void *context, const struct story_line *line);
void print_json(void *context, const struct story_line *line);

#endif
