/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Latencies in constant space, log-linear: 64 buckets for each power of two, so that a quantile is at most
 * 1/64 off whatever its size.
 */
#ifndef NOLISTEN_HISTOGRAM_H
#define NOLISTEN_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_LINEAR_BITS 6
#define HISTOGRAM_TOP_BIT 36 /* values from 2^36 ns, 69 s, on share the last bucket */
#define HISTOGRAM_BUCKETS ((HISTOGRAM_TOP_BIT - HISTOGRAM_LINEAR_BITS + 1) << HISTOGRAM_LINEAR_BITS)

/* All zero is empty. */
struct histogram {
	uint64_t count;
	uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *histogram, uint64_t value);
/* All of from into *histogram. */
void histogram_merge(struct histogram *histogram, const struct histogram *from);
/* The middle of the bucket below or in which that share of the values lies, share from 0 to 1; 0 if empty. */
double histogram_quantile(const struct histogram *histogram, double share);

/* For those who draw it: the middle of a bucket, and how many values lie in it and below. */
double histogram_middle(unsigned int bucket);
uint64_t histogram_count_to(const struct histogram *histogram, unsigned int bucket);

#endif
