/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "interval.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define RESAMPLES 4000
#define ROUNDING 1e-9

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* How many values may be cut off at either end; -1: not even none. */
static int find_cut(unsigned int count, double miss)
{
	double log_share = -(double)count * log(2), sum = 0;
	int cut = -1;

	for (unsigned int below = 0; below < count; below++) {
		sum += exp(log_share);
		if (sum > miss / 2 * (1 + ROUNDING))
			break;
		cut = (int)below;
		log_share += log(count - below) - log(below + 1);
	}
	return cut;
}

struct interval interval_of_median(const double *values, unsigned int count, double miss)
{
	struct interval out = {NAN, -INFINITY, INFINITY, count};
	double *sorted = malloc(count * sizeof(*sorted));
	const int cut = find_cut(count, miss);

	if (!sorted)
		return out;
	memcpy(sorted, values, count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), compare);
	out.value = (sorted[(count - 1) / 2] + sorted[count / 2]) / 2;
	if (cut >= 0) {
		out.low = sorted[cut];
		out.high = sorted[count - 1 - (unsigned int)cut];
	}
	free(sorted);
	return out;
}

/* xorshift64: the same every time, so that a report can be made again. */
static unsigned int draw(uint64_t *state, unsigned int below)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (unsigned int)((*state >> 32) * below >> 32);
}

/* What a normal distribution has above z standard deviations. */
static double normal_above(double z)
{
	return erfc(z / M_SQRT2) / 2;
}

/* The z above which that share lies, < 0.5. */
static double find_normal(double above)
{
	double low = 0, high = 10;

	for (unsigned int i = 0; i < 60; i++) {
		const double middle = (low + high) / 2;

		if (normal_above(middle) > above)
			low = middle;
		else
			high = middle;
	}
	return high;
}

/* The same of Student's t: Abramowitz and Stegun, 26.7.5, good to a hundredth from 5 degrees of freedom on. */
static double find_student(double above, unsigned int freedom)
{
	const double z = find_normal(above), n = freedom;

	return z + (pow(z, 3) + z) / (4 * n) +
	       (5 * pow(z, 5) + 16 * pow(z, 3) + 3 * z) / (96 * n * n) +
	       (3 * pow(z, 7) + 19 * pow(z, 5) + 17 * pow(z, 3) - 15 * z) / (384 * n * n * n);
}

/*
 * How many of the sorted resamples lie beyond at either end. Their spread is that of count values by sqrt((n-1)/n), and normal where that
 * of few values has longer tails.
 */
static unsigned int find_beyond(unsigned int count, double miss)
{
	const double t = find_student(miss / 2, count - 1);

	return (unsigned int)(RESAMPLES * normal_above(t * sqrt(count / (count - 1.0))));
}

static void cut_ends(double *sorted, unsigned int beyond, struct interval *out)
{
	qsort(sorted, RESAMPLES, sizeof(*sorted), compare);
	out->low = sorted[beyond];
	out->high = sorted[RESAMPLES - 1 - beyond];
}

static double draw_mean(const double *values, const double *weights, unsigned int count,
			uint64_t *state)
{
	double sum = 0, weight = 0;

	for (unsigned int i = 0; i < count; i++) {
		const unsigned int drawn = draw(state, count);

		sum += values[drawn] * weights[drawn];
		weight += weights[drawn];
	}
	return sum / weight;
}

/* Wilson's score interval, in %, of so many that are independent. */
static void widen_to_wilson(double of, double miss, struct interval *out)
{
	const double z = find_normal(miss / 2), share = out->value / 100, scale = 1 + z * z / of;
	const double middle = (share + z * z / (2 * of)) / scale;
	const double half = z * sqrt(share * (1 - share) / of + z * z / (4 * of * of)) / scale;

	out->low = fmin(out->low, 100 * fmax(middle - half, 0));
	out->high = fmax(out->high, 100 * fmin(middle + half, 1));
}

struct interval interval_of_share(const double *values, const double *weights, unsigned int count,
				  double miss)
{
	struct interval out = {0, -INFINITY, INFINITY, count};
	double means[RESAMPLES], weight = 0;
	uint64_t state = 1;

	for (unsigned int i = 0; i < count; i++) {
		out.value += values[i] * weights[i];
		weight += weights[i];
	}
	out.value /= weight;
	if (count < INTERVAL_COUNT_MIN)
		return out;
	for (unsigned int i = 0; i < RESAMPLES; i++)
		means[i] = draw_mean(values, weights, count, &state);
	cut_ends(means, find_beyond(count, miss), &out);
	widen_to_wilson(weight, miss, &out);
	return out;
}

/* One set of rounds, of which as many are drawn as there are. */
struct resample {
	const double *values;
	double *drawn;
	unsigned int count;
	bool is_mean;
};

static double find_middle(struct resample *of)
{
	double sum = 0;

	if (of->is_mean) {
		for (unsigned int i = 0; i < of->count; i++)
			sum += of->drawn[i];
		return sum / of->count;
	}
	qsort(of->drawn, of->count, sizeof(*of->drawn), compare);
	return (of->drawn[(of->count - 1) / 2] + of->drawn[of->count / 2]) / 2;
}

static double draw_middle(struct resample *of, uint64_t *state)
{
	for (unsigned int i = 0; i < of->count; i++)
		of->drawn[i] = of->values[draw(state, of->count)];
	return find_middle(of);
}

static double middle_of_all(struct resample *of)
{
	memcpy(of->drawn, of->values, of->count * sizeof(*of->drawn));
	return find_middle(of);
}

static void resample_change(struct resample *old, struct resample *new, struct change *out)
{
	const unsigned int few = old->count < new->count ? old->count : new->count;
	const unsigned int beyond = find_beyond(few, INTERVAL_MISS);
	double ratios[RESAMPLES], differences[RESAMPLES];
	uint64_t state = 1;
	bool are_positive = true;

	for (unsigned int i = 0; i < RESAMPLES; i++) {
		const double old_value = draw_middle(old, &state);
		const double new_value = draw_middle(new, &state);

		are_positive = are_positive && old_value > 0 && new_value > 0;
		ratios[i] = are_positive ? new_value / old_value : 0;
		differences[i] = new_value - old_value;
	}
	cut_ends(differences, beyond, &out->difference);
	if (are_positive)
		cut_ends(ratios, beyond, &out->ratio);
	else
		out->ratio.value = NAN;
}

int interval_of_change(const struct change_rounds *old, const struct change_rounds *new,
		       bool is_mean, struct change *out)
{
	const unsigned int count = old->count < new->count ? old->count : new->count;
	double *drawn = calloc(old->count + new->count, sizeof(*drawn));
	struct resample olds = {old->values, drawn, old->count, is_mean};
	struct resample news = {new->values, drawn + old->count, new->count, is_mean};

	if (!drawn)
		return -ENOMEM;
	*out = (struct change){.old_value = middle_of_all(&olds),
			       .new_value = middle_of_all(&news),
			       .ratio = {NAN, -INFINITY, INFINITY, count},
			       .difference = {0, -INFINITY, INFINITY, count}};
	out->difference.value = out->new_value - out->old_value;
	if (out->old_value > 0 && out->new_value > 0)
		out->ratio.value = out->new_value / out->old_value;
	if (count >= INTERVAL_COUNT_MIN)
		resample_change(&olds, &news, out);
	free(drawn);
	return 0;
}
