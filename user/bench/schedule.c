/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "schedule.h"

#include "clock.h"

uint64_t pace_due(const struct pace *pace, uint64_t now_ns)
{
	if (now_ns < pace->start_ns)
		return 0;
	return (uint64_t)((unsigned __int128)(now_ns - pace->start_ns) * pace->per_s /
			  CLOCK_NS_PER_S) +
	       1;
}

/* Rounded up, so that what is due at its own time is counted by pace_due(). */
uint64_t pace_time_ns(const struct pace *pace, uint64_t index)
{
	unsigned __int128 offset = (unsigned __int128)index * CLOCK_NS_PER_S;

	return pace->start_ns + (uint64_t)((offset + pace->per_s - 1) / pace->per_s);
}

static uint32_t slice_of(const struct plan_work *work, uint32_t rounds)
{
	const uint64_t fixed_ms = work->first_round_ms + (uint64_t)rounds * work->round_ms;
	const uint64_t slices = (uint64_t)rounds * work->slices;

	if (!slices)
		return PLAN_SLICE_MAX_MS;
	if (fixed_ms >= work->budget_ms)
		return 0;
	return (uint32_t)((work->budget_ms - fixed_ms) / slices);
}

struct plan plan_make(const struct plan_work *work)
{
	const uint32_t max_ms = work->slice_max_ms ? work->slice_max_ms : PLAN_SLICE_MAX_MS;
	struct plan plan = {.rounds = work->rounds ? work->rounds : 1};

	while (plan.rounds > 1 && slice_of(work, plan.rounds) < PLAN_SLICE_MIN_MS)
		plan.rounds--;
	plan.slice_ms = slice_of(work, plan.rounds);
	if (plan.slice_ms < PLAN_SLICE_MIN_MS)
		plan.slice_ms = PLAN_SLICE_MIN_MS;
	if (plan.slice_ms > max_ms)
		plan.slice_ms = max_ms;
	return plan;
}
