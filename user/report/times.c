/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "times.h"

/* A hand-off takes tens of microseconds, a handshake a round trip, or seconds if something was lost. */
static const uint32_t bounds_us[TIMES_BOUNDS] = {
	10,    20,    50,    100,    200,    500,    1000,    2000,    5000,
	10000, 20000, 50000, 100000, 200000, 500000, 1000000, 3000000, 10000000,
};

void times_add(struct times *times, int64_t us)
{
	uint32_t bucket = 0;

	if (us < 0)
		return;
	while (bucket < TIMES_BOUNDS && us > bounds_us[bucket])
		bucket++;
	times->buckets[bucket]++;
	times->sum_us += (uint64_t)us;
}

void times_unite(struct times *times, const struct times *other)
{
	for (uint32_t bucket = 0; bucket <= TIMES_BOUNDS; bucket++)
		times->buckets[bucket] += other->buckets[bucket];
	times->sum_us += other->sum_us;
}

uint32_t times_bound_us(uint32_t bucket)
{
	return bounds_us[bucket];
}
