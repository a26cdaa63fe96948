/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Figures by name: a value of each round in which it was measured, and the reason why one is missing. */
#ifndef NOLISTEN_SAMPLES_H
#define NOLISTEN_SAMPLES_H

#include <limits.h>
#include <stdbool.h>

#include "interval.h"

#define SAMPLES_NAME_SIZE 64
#define SAMPLES_REASON_SIZE 128

struct sample {
	unsigned int round;
	double value;
	double weight; /* of a share: how many it is of; else 0 */
};

struct samples {
	char name[SAMPLES_NAME_SIZE];
	char reason[SAMPLES_REASON_SIZE]; /* why a round is missing; empty: none is */
	unsigned int count, size;
	struct sample *all; /* in the order of the rounds */
};

/* All zero is empty. */
struct sample_set {
	unsigned int count, size;
	struct samples *all;
};

void samples_free(struct sample_set *set);
/* One value a round. -ENOMEM. */
int samples_add(struct sample_set *set, const char *name, unsigned int round, double value);
/* A share in %; all rounds together are one share. of > 0. -ENOMEM. */
int samples_add_share(struct sample_set *set, const char *name, unsigned int round, double good,
		      double of);
/* The first reason of a name stays. */
int samples_add_reason(struct sample_set *set, const char *name, const char *reason);
/* NULL: neither a value nor a reason is there. */
const struct samples *samples_find(const struct sample_set *set, const char *name);

bool samples_is_share(const struct samples *samples);
/* False: there is no value. samples may be NULL in all of these. */
bool samples_interval(const struct samples *samples, struct interval *out);
/* What is known after the first so many rounds that have a value. */
struct samples_part {
	unsigned int count;
	double miss; /* of the interval: see interval.h */
};
#define SAMPLES_ALL ((struct samples_part){UINT_MAX, INTERVAL_MISS})
enum samples_relation {
	SAMPLES_RATIO,
	SAMPLES_DIFFERENCE,
};
/* base: NULL for the figure itself. */
bool samples_of_part(const struct samples *samples, const struct samples *base,
		     enum samples_relation relation, struct samples_part part,
		     struct interval *out);

/* One and the other, round by round; false: there is no round that has both. */
bool samples_compare(const struct samples *samples, const struct samples *base,
		     enum samples_relation relation, struct interval *out);

#endif
