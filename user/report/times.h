/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How long something took, counted in buckets; one writer, and sums of several. */
#ifndef NOLISTEN_TIMES_H
#define NOLISTEN_TIMES_H

#include <stdint.h>

#define TIMES_BOUNDS 18

struct times {
	uint64_t buckets[TIMES_BOUNDS +
			 1]; /* each what its bound is the first one for; the last: longer */
	uint64_t sum_us;
};

/* us < 0: not known, and not counted. */
void times_add(struct times *times, int64_t us);
void times_unite(struct times *times, const struct times *other);
/* In microseconds, bucket from 0 to TIMES_BOUNDS - 1. */
uint32_t times_bound_us(uint32_t bucket);

#endif
