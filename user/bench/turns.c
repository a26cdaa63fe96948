/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "turns.h"

#include <stdlib.h>

/* xorshift64 (Marsaglia 2003) */
static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

void turns_shuffle(unsigned int *order, unsigned int count, uint64_t *seed)
{
	for (unsigned int i = 0; i < count; i++) {
		const unsigned int place = (unsigned int)(next_random(seed) % (i + 1));

		order[i] = order[place];
		order[place] = i;
	}
}

static int compare(double x, double y)
{
	return (x > y) - (x < y);
}

static double difference(const struct turn *turn)
{
	return turn->this_ns - turn->other_ns;
}

static int compare_sums(const void *a, const void *b)
{
	const struct turn *x = a, *y = b;

	return compare(x->this_ns + x->other_ns, y->this_ns + y->other_ns);
}

static int compare_differences(const void *a, const void *b)
{
	return compare(difference(a), difference(b));
}

double turns_difference(struct turn *turns, unsigned int count)
{
	const unsigned int fastest = (count + 3) / 4;
	const struct turn *middle = &turns[fastest / 2];

	qsort(turns, count, sizeof(*turns), compare_sums);
	qsort(turns, fastest, sizeof(*turns), compare_differences);
	return fastest % 2 ? difference(middle) : (difference(middle) + difference(middle - 1)) / 2;
}
