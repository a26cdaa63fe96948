/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "samples.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void samples_free(struct sample_set *set)
{
	free(set->all);
	*set = (struct sample_set){0};
}

const struct samples *samples_find(const struct sample_set *set, const char *name)
{
	for (unsigned int i = 0; i < set->count; i++) {
		if (!strcmp(set->all[i].name, name))
			return &set->all[i];
	}
	return NULL;
}

static struct samples *find_or_add(struct sample_set *set, const char *name)
{
	struct samples *found = (struct samples *)samples_find(set, name);

	if (found)
		return found;
	if (set->count == set->size) {
		const unsigned int size = set->size ? set->size * 2 : 64;

		found = reallocarray(set->all, size, sizeof(*set->all));
		if (!found)
			return NULL;
		set->all = found;
		set->size = size;
	}
	found = &set->all[set->count++];
	memset(found, 0, sizeof(*found));
	snprintf(found->name, sizeof(found->name), "%s", name);
	return found;
}

int samples_add(struct sample_set *set, const char *name, double value)
{
	struct samples *samples = find_or_add(set, name);

	if (!samples)
		return -ENOMEM;
	if (samples->count < SAMPLES_PER_NAME)
		samples->values[samples->count++] = value;
	return 0;
}

int samples_add_reason(struct sample_set *set, const char *name, const char *reason)
{
	struct samples *samples = find_or_add(set, name);

	if (!samples)
		return -ENOMEM;
	if (!*samples->reason)
		snprintf(samples->reason, sizeof(samples->reason), "%s", reason);
	return 0;
}

bool samples_get_median(const struct sample_set *set, const char *name, double *out)
{
	const struct samples *samples = samples_find(set, name);

	if (!samples || !samples->count)
		return false;
	*out = samples_median(samples->values, samples->count);
	return true;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double samples_median(const double *values, unsigned int count)
{
	double sorted[SAMPLES_PER_NAME];

	memcpy(sorted, values, count * sizeof(*values));
	qsort(sorted, count, sizeof(*sorted), compare);
	return count % 2 ? sorted[count / 2] : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
}
