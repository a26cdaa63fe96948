/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How much each source holds: flows from their first segment that is kept to the end of their socket, by prefixes of
 * remote addresses. Which flows are counted is remembered, so that counting one twice, or one that is not counted off, does
 * nothing. Any thread may call.
 */
#ifndef NOLISTEN_SOURCES_H
#define NOLISTEN_SOURCES_H

#include <stdbool.h>
#include <stdint.h>

#include "addr.h"

struct sources;

struct sources_options {
	uint32_t max; /* flows of a source, at least 1 */
	uint8_t bits_v4, bits_v6; /* what of a remote address is its source */
	uint32_t max_flows; /* of all together, about: the size of the table */
	/* NULL, or is told of a source, the rest of its address zero, that it holds as much as it may, or no more. Not to call back. */
	void (*full)(void *context, const struct addr *source, bool is_full);
	void *context;
};

int sources_new(struct sources **out, const struct sources_options *options);
void sources_free(struct sources *sources);

/* 1: it counts from now on; 0: it did already. -EDQUOT: its source holds as much as it may; -ENOMEM. */
int sources_hold(struct sources *sources, const struct tuple *tuple);
void sources_release(struct sources *sources, const struct tuple *tuple);
/* What the source of this address holds. */
uint32_t sources_held(struct sources *sources, const struct addr *remote);
/* fn for each flow that was held when this began, until it returns false, which may release it. Their number, or -ENOMEM. */
int sources_visit(struct sources *sources, bool (*fn)(void *context, const struct tuple *tuple),
		  void *context);

#endif
