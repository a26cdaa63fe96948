/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the programs of the benchmark print and the report reads: lines "NAME VALUE" for a figure of one round,
 * "missing NAME REASON..." for one that could not be taken.
 */
#ifndef NOLISTEN_BENCH_SAMPLES_H
#define NOLISTEN_BENCH_SAMPLES_H

#include <stdbool.h>
#include <stdio.h>

#define SAMPLES_PER_NAME 64
#define SAMPLES_NAME_SIZE 64
#define SAMPLES_REASON_SIZE 128

struct samples {
	char name[SAMPLES_NAME_SIZE];
	char reason[SAMPLES_REASON_SIZE]; /* why a round is missing; empty: none is */
	unsigned int count; /* above SAMPLES_PER_NAME is left out */
	double values[SAMPLES_PER_NAME]; /* in the order of the rounds */
};

struct sample_set {
	unsigned int count;
	struct samples all[64];
};

/* All lines of a file. 0; -EINVAL for a line of another form (its number in *line_number); -ENOSPC: too many names. */
int samples_read(struct sample_set *set, FILE *file, unsigned int *line_number);
/* NULL: neither a value nor a reason is there. */
const struct samples *samples_find(const struct sample_set *set, const char *name);

/* count > 0. values is left as it is; at most SAMPLES_PER_NAME of them. */
double samples_median(const double *values, unsigned int count);

#endif
