/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A token bucket. A second fills it whole, so that longer pauses add nothing and no product overflows. */
#include "limit.h"

#include "clock.h"

void limit_init(struct limit *limit, uint32_t per_s, uint64_t now_ns)
{
	limit->per_s = per_s;
	limit->credit = per_s * CLOCK_NS_PER_S;
	limit->updated_ns = now_ns;
}

static void refill(struct limit *limit, uint64_t now_ns)
{
	uint64_t full = limit->per_s * CLOCK_NS_PER_S;
	uint64_t elapsed_ns = now_ns - limit->updated_ns;

	if (elapsed_ns > CLOCK_NS_PER_S)
		elapsed_ns = CLOCK_NS_PER_S;
	limit->credit += elapsed_ns * limit->per_s;
	if (limit->credit > full)
		limit->credit = full;
	limit->updated_ns = now_ns;
}

bool limit_take(struct limit *limit, uint64_t now_ns)
{
	refill(limit, now_ns);
	if (limit->credit < CLOCK_NS_PER_S)
		return false;
	limit->credit -= CLOCK_NS_PER_S;
	return true;
}
