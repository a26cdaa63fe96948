/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "samples.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void samples_free(struct sample_set *set)
{
	for (unsigned int i = 0; i < set->count; i++)
		free(set->all[i].all);
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

/* Room for one more. NULL: there is none; all is as it was. */
static void *grow(void *all, unsigned int count, unsigned int *size, size_t each)
{
	void *grown = all;

	if (count == *size) {
		const unsigned int wanted = *size ? *size * 2 : 8;

		grown = reallocarray(all, wanted, each);
		if (grown)
			*size = wanted;
	}
	return grown;
}

static struct samples *find_or_add(struct sample_set *set, const char *name)
{
	struct samples *found = (struct samples *)samples_find(set, name), *grown;

	if (found)
		return found;
	grown = grow(set->all, set->count, &set->size, sizeof(*grown));
	if (!grown)
		return NULL;
	set->all = grown;
	found = &set->all[set->count++];
	memset(found, 0, sizeof(*found));
	snprintf(found->name, sizeof(found->name), "%s", name);
	return found;
}

static int add(struct sample_set *set, const char *name, const struct sample *sample)
{
	struct samples *samples = find_or_add(set, name);
	struct sample *grown;

	if (!samples)
		return -ENOMEM;
	grown = grow(samples->all, samples->count, &samples->size, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	samples->all = grown;
	samples->all[samples->count++] = *sample;
	return 0;
}

int samples_add(struct sample_set *set, const char *name, unsigned int round, double value)
{
	return add(set, name, &(struct sample){round, value, 0});
}

int samples_add_share(struct sample_set *set, const char *name, unsigned int round, double good,
		      double of)
{
	return add(set, name, &(struct sample){round, 100 * good / of, of});
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

bool samples_is_share(const struct samples *samples)
{
	return samples && samples->count && samples->all[0].weight > 0;
}

static bool find_interval(const struct samples *samples, struct samples_part part,
			  struct interval *out)
{
	const unsigned int count = samples->count < part.count ? samples->count : part.count;
	double *values = count ? malloc(2 * count * sizeof(*values)) : NULL;

	if (!values)
		return false;
	for (unsigned int i = 0; i < count; i++) {
		values[i] = samples->all[i].value;
		values[count + i] = samples->all[i].weight;
	}
	*out = samples_is_share(samples)
		       ? interval_of_share(values, values + count, count, part.miss)
		       : interval_of_median(values, count, part.miss);
	free(values);
	return true;
}

static bool relate(double value, double base, enum samples_relation relation, double *out)
{
	if (relation == SAMPLES_RATIO && base <= 0)
		return false;
	*out = relation == SAMPLES_RATIO ? value / base : value - base;
	return true;
}

/* Both are in the order of the rounds. */
static unsigned int pair(const struct samples *samples, const struct samples *base,
			 enum samples_relation relation, double *values)
{
	unsigned int count = 0, b = 0;

	for (unsigned int i = 0; i < samples->count; i++) {
		while (b < base->count && base->all[b].round < samples->all[i].round)
			b++;
		if (b < base->count && base->all[b].round == samples->all[i].round)
			count += relate(samples->all[i].value, base->all[b].value, relation,
					&values[count]);
	}
	return count;
}

static bool find_relation(const struct samples *samples, const struct samples *base,
			  enum samples_relation relation, struct samples_part part,
			  struct interval *out)
{
	double *values = malloc(samples->count * sizeof(*values));
	unsigned int count = values ? pair(samples, base, relation, values) : 0;

	count = count < part.count ? count : part.count;
	if (count)
		*out = interval_of_median(values, count, part.miss);
	free(values);
	return count;
}

bool samples_of_part(const struct samples *samples, const struct samples *base,
		     enum samples_relation relation, struct samples_part part, struct interval *out)
{
	if (!samples || !samples->count)
		return false;
	return base ? find_relation(samples, base, relation, part, out)
		    : find_interval(samples, part, out);
}

bool samples_interval(const struct samples *samples, struct interval *out)
{
	return samples_of_part(samples, NULL, SAMPLES_RATIO, SAMPLES_ALL, out);
}

bool samples_compare(const struct samples *samples, const struct samples *base,
		     enum samples_relation relation, struct interval *out)
{
	return base && samples_of_part(samples, base, relation, SAMPLES_ALL, out);
}
