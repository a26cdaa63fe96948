/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Bucket n of the first 64 holds the value n; from there on each power of two is cut into 64 equal parts. */
#include "histogram.h"

#define LINEAR (1u << HISTOGRAM_LINEAR_BITS)

static unsigned int find_bucket(uint64_t value)
{
	unsigned int shift;

	if (value < LINEAR)
		return value;
	if (value >> HISTOGRAM_TOP_BIT)
		return HISTOGRAM_BUCKETS - 1;
	shift = 63 - __builtin_clzll(value) - HISTOGRAM_LINEAR_BITS;
	return ((shift + 1) << HISTOGRAM_LINEAR_BITS) + (value >> shift) - LINEAR;
}

double histogram_middle(unsigned int bucket)
{
	unsigned int shift = bucket >> HISTOGRAM_LINEAR_BITS;
	uint64_t low;

	if (bucket < LINEAR)
		return bucket;
	shift -= 1;
	low = (uint64_t)(LINEAR + bucket % LINEAR) << shift;
	return low + ((1ull << shift) - 1) / 2.0;
}

void histogram_add(struct histogram *histogram, uint64_t value)
{
	histogram->buckets[find_bucket(value)]++;
	histogram->count++;
}

void histogram_merge(struct histogram *histogram, const struct histogram *from)
{
	histogram->count += from->count;
	for (unsigned int i = 0; i < HISTOGRAM_BUCKETS; i++)
		histogram->buckets[i] += from->buckets[i];
}

double histogram_quantile(const struct histogram *histogram, double share)
{
	double exact = share * histogram->count;
	uint64_t rank = exact, seen = 0;

	if (!histogram->count)
		return 0;
	if (rank < exact || !rank)
		rank++;
	for (unsigned int i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += histogram->buckets[i];
		if (seen >= rank)
			return histogram_middle(i);
	}
	return histogram_middle(HISTOGRAM_BUCKETS - 1);
}

uint64_t histogram_count_to(const struct histogram *histogram, unsigned int bucket)
{
	uint64_t count = 0;

	for (unsigned int i = 0; i <= bucket; i++)
		count += histogram->buckets[i];
	return count;
}
