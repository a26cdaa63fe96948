/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A trace that is being told: steps in, lines out. */
#ifndef NOLISTEN_WATCH_H
#define NOLISTEN_WATCH_H

#include "conversations.h"
#include "print.h"
#include "trace.h"

enum watch_look {
	WATCH_TEXT,
	WATCH_DRAWING, /* of a conversation once it has been quiet for a second */
	WATCH_JSON,
};

struct watch {
	struct trace *trace;
	struct conversation_table *table;
	struct story story;
	struct printer printer;
	enum watch_look look;
	uint64_t lost; /* told so far */
};

/* names: borrowed. 0 or -errno, logged. */
int watch_open(struct watch *watch, const struct trace_options *options, enum watch_look look,
	       struct trace_names *names);
void watch_close(struct watch *watch); /* tells what is left */

/* Take the steps that are there and tell what can be told. */
int watch_take(struct watch *watch);

#endif
