/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Retransmission timers, O(1): all flows of one level wait equally long and the clock never goes back, so each
 * level is a list that is in order by itself.
 */
#include "clock.h"
#include "flow.h"

#define MAX_WAIT_S 120 /* Linux's TCP_RTO_MAX */

static unsigned int level_of(const struct flow *flow)
{
	return flow->level < TIMER_LEVELS ? flow->level : TIMER_LEVELS - 1;
}

static uint64_t wait_ns(unsigned int level)
{
	uint64_t wait_s = 1u << level;

	return (wait_s < MAX_WAIT_S ? wait_s : MAX_WAIT_S) * CLOCK_NS_PER_S;
}

void timers_start(struct timers *timers, struct flow *flow, uint64_t now_ns)
{
	struct timer_list *list = &timers->levels[level_of(flow)];

	flow->deadline_ns = now_ns + wait_ns(level_of(flow));
	flow->later = NULL;
	flow->earlier = list->last;
	if (list->last)
		list->last->later = flow;
	else
		list->first = flow;
	list->last = flow;
	flow->is_timed = true;
}

void timers_stop(struct timers *timers, struct flow *flow)
{
	struct timer_list *list = &timers->levels[level_of(flow)];

	if (!flow->is_timed)
		return;
	if (flow->earlier)
		flow->earlier->later = flow->later;
	else
		list->first = flow->later;
	if (flow->later)
		flow->later->earlier = flow->earlier;
	else
		list->last = flow->earlier;
	flow->is_timed = false;
}

struct flow *timers_first(const struct timers *timers)
{
	struct flow *first = NULL;

	for (unsigned int i = 0; i < TIMER_LEVELS; i++) {
		struct flow *flow = timers->levels[i].first;

		if (flow && (!first || flow->deadline_ns < first->deadline_ns))
			first = flow;
	}
	return first;
}
