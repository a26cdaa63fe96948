/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "looks.h"

#include <math.h>

#define FIRST INTERVAL_COUNT_MIN

/* Of the look at the first "planned" rounds: FIRST, twice as many, ... */
static double miss_of(unsigned int planned)
{
	const double first = pow(2, 1 - FIRST);
	double left = INTERVAL_MISS - first;

	if (planned <= FIRST)
		return first;
	for (; planned > FIRST; planned /= 2)
		left /= 2;
	return left;
}

struct samples_part looks_planned(unsigned int count)
{
	unsigned int planned = FIRST;

	if (count < FIRST)
		return (struct samples_part){0, INTERVAL_MISS};
	while (planned * 2 <= count)
		planned *= 2;
	return (struct samples_part){planned, miss_of(planned)};
}

struct samples_part looks_final(unsigned int count)
{
	unsigned int planned = FIRST;

	while (planned < count)
		planned *= 2;
	return (struct samples_part){count, miss_of(planned)};
}
