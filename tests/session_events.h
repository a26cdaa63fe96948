/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The events of session_io.h, which includes this behind note(). */
#ifndef NOLISTEN_TESTS_SESSION_EVENTS_H
#define NOLISTEN_TESTS_SESSION_EVENTS_H

struct events {
	unsigned int counts[EVENT_KINDS];
	unsigned int unflushed;
	uint64_t first_by_us; /* of the last one */
};

static bool events_are_read;
static uint64_t told_flow_ns[UINT16_MAX +
			     1]; /* created_ns of the remote's flow, while events tell of one */

/* From the first event of a flow to its last it is the same one. */
static inline void check_flow(const struct event *event)
{
	uint64_t *flow_ns = &told_flow_ns[event->tuple->remote.port];

	assert_true(event->created_ns);
	if (*flow_ns)
		assert_int_equal(event->created_ns, *flow_ns);
	*flow_ns = event->created_ns;
	if (event->kind == EVENT_CLOSED || event->kind == EVENT_RESET ||
	    event->kind == EVENT_EXPIRED || event->kind == EVENT_REFUSED)
		*flow_ns = 0;
}

bool events_has_readers(const struct events *events)
{
	(void)events;
	return events_are_read;
}

void events_emit(struct events *events, const struct event *event)
{
	static const char *const names[] = {
		[EVENT_SYN] = "syn",
		[EVENT_ESTABLISHED] = "established",
		[EVENT_HANDED_OFF] = "handed_off",
		[EVENT_CLOSED] = "closed",
		[EVENT_RESET] = "reset",
		[EVENT_EXPIRED] = "expired",
		[EVENT_REFUSED] = "refused",
	};

	check_flow(event);
	events->counts[event->kind]++;
	events->unflushed++;
	events->first_by_us = event->first_by_us;
	if (event->reason)
		note(event->tuple, "<%s %s>", names[event->kind], event->reason);
	else
		note(event->tuple, "<%s>", names[event->kind]);
}

void events_flush(struct events *events)
{
	events->unflushed = 0;
}

#endif
