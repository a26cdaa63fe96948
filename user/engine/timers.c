/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Retransmission timers, O(1): all flows of one level wait equally long and the clock never goes back, so each
 * level is a list that is in order by itself.
 */
#include "clock.h"
#include "tcb.h"

#define MAX_WAIT_S 120 /* Linux's TCP_RTO_MAX */

static unsigned int level_of(const struct tcb *tcb)
{
	return tcb->level < TIMER_LEVELS ? tcb->level : TIMER_LEVELS - 1;
}

static uint64_t wait_ns(unsigned int level)
{
	uint64_t wait_s = 1u << level;

	return (wait_s < MAX_WAIT_S ? wait_s : MAX_WAIT_S) * CLOCK_NS_PER_S;
}

void timers_start(struct timers *timers, struct tcb *tcb, uint64_t now_ns)
{
	struct timer_list *list = &timers->levels[level_of(tcb)];

	tcb->deadline_ns = now_ns + wait_ns(level_of(tcb));
	tcb->later = NULL;
	tcb->earlier = list->last;
	if (list->last)
		list->last->later = tcb;
	else
		list->first = tcb;
	list->last = tcb;
	tcb->is_timed = true;
}

void timers_stop(struct timers *timers, struct tcb *tcb)
{
	struct timer_list *list = &timers->levels[level_of(tcb)];

	if (!tcb->is_timed)
		return;
	if (tcb->earlier)
		tcb->earlier->later = tcb->later;
	else
		list->first = tcb->later;
	if (tcb->later)
		tcb->later->earlier = tcb->earlier;
	else
		list->last = tcb->earlier;
	tcb->is_timed = false;
}

struct tcb *timers_first(const struct timers *timers)
{
	struct tcb *first = NULL;

	for (unsigned int i = 0; i < TIMER_LEVELS; i++) {
		struct tcb *tcb = timers->levels[i].first;

		if (tcb && (!first || tcb->deadline_ns < first->deadline_ns))
			first = tcb;
	}
	return first;
}
