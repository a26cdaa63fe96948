/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* From the trace through the table to the printer. */
#include "watch.h"

#include <errno.h>
#include <string.h>

#include "clock.h"
#include "log.h"

#define QUIET_NS CLOCK_NS_PER_S

static void (*const looks[])(void *context, const struct story_line *line) = {
	[WATCH_TEXT] = print_text,
	[WATCH_DRAWING] = print_drawing,
	[WATCH_JSON] = print_json,
};

static void take_step(void *context, const struct nol_step *step)
{
	struct watch *watch = context;
	struct conversation *conversation = conversation_add(watch->table, step);

	if (conversation && watch->look != WATCH_DRAWING)
		story_tell(&watch->story, conversation);
}

static void tell_all(void *context, struct conversation *conversation)
{
	struct watch *watch = context;

	story_tell(&watch->story, conversation);
	if (conversation->overflow)
		log_warning("[%u]: %u steps had no room in the drawing", conversation->id,
			    conversation->overflow);
	conversation->overflow = 0;
}

static void tell_quiet(void *context, struct conversation *conversation)
{
	if (conversation->last_ns + QUIET_NS < clock_monotonic_ns())
		tell_all(context, conversation);
}

static void tell_lost(struct watch *watch)
{
	struct nol_trace_counters counters;

	trace_counters_read(watch->trace, &counters);
	if (counters.lost + counters.unreadable == watch->lost)
		return;
	log_warning("not told so far: %llu steps lost (the ring was full), %llu packets unreadable",
		    (unsigned long long)counters.lost, (unsigned long long)counters.unreadable);
	watch->lost = counters.lost + counters.unreadable;
}

int watch_open(struct watch *watch, const struct trace_options *options, enum watch_look look,
	       struct trace_names *names)
{
	int err;

	memset(watch, 0, sizeof(*watch));
	watch->look = look;
	watch->printer.out = stdout;
	watch->story.names = names;
	watch->story.tell = looks[look];
	watch->story.context = &watch->printer;
	err = conversation_table_new(&watch->table);
	if (!err)
		err = trace_open(&watch->trace, options);
	if (err) {
		conversation_table_free(watch->table);
		return err;
	}
	watch->story.has_loader = trace_has_loader(watch->trace);
	return 0;
}

int watch_take(struct watch *watch)
{
	const int count = trace_consume(watch->trace, take_step, watch);

	if (watch->look == WATCH_DRAWING)
		conversation_visit(watch->table, tell_quiet, watch);
	tell_lost(watch);
	fflush(watch->printer.out);
	return count < 0 ? count : 0;
}

void watch_close(struct watch *watch)
{
	watch_take(watch);
	conversation_visit(watch->table, tell_all, watch);
	fflush(watch->printer.out);
	trace_close(watch->trace);
	conversation_table_free(watch->table);
}
