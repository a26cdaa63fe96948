/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Figures by name, one value a round, or the reason why there is none. */
#ifndef NOLISTEN_SAMPLES_H
#define NOLISTEN_SAMPLES_H

#include <stdbool.h>

#define SAMPLES_PER_NAME 16
#define SAMPLES_NAME_SIZE 64
#define SAMPLES_REASON_SIZE 128

struct samples {
	char name[SAMPLES_NAME_SIZE];
	char reason[SAMPLES_REASON_SIZE]; /* why a round is missing; empty: none is */
	unsigned int count; /* above SAMPLES_PER_NAME is left out */
	double values[SAMPLES_PER_NAME]; /* in the order of the rounds */
};

/* All zero is empty. */
struct sample_set {
	unsigned int count, size;
	struct samples *all;
};

void samples_free(struct sample_set *set);
/* -ENOMEM. */
int samples_add(struct sample_set *set, const char *name, double value);
/* The first reason of a name stays. */
int samples_add_reason(struct sample_set *set, const char *name, const char *reason);
/* NULL: neither a value nor a reason is there. */
const struct samples *samples_find(const struct sample_set *set, const char *name);
/* False: there is no value. */
bool samples_get_median(const struct sample_set *set, const char *name, double *out);

/* count > 0. values is left as it is; at most SAMPLES_PER_NAME of them. */
double samples_median(const double *values, unsigned int count);

#endif
