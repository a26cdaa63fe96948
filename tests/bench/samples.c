/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "samples.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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
	if (set->count == sizeof(set->all) / sizeof(set->all[0]))
		return NULL;
	found = &set->all[set->count++];
	memset(found, 0, sizeof(*found));
	snprintf(found->name, sizeof(found->name), "%s", name);
	return found;
}

static int add_value(struct sample_set *set, const char *name, double value)
{
	struct samples *samples = find_or_add(set, name);

	if (!samples)
		return -ENOSPC;
	if (samples->count < SAMPLES_PER_NAME)
		samples->values[samples->count++] = value;
	return 0;
}

static int add_reason(struct sample_set *set, const char *name, const char *reason)
{
	struct samples *samples = find_or_add(set, name);

	if (!samples)
		return -ENOSPC;
	snprintf(samples->reason, sizeof(samples->reason), "%s", reason);
	return 0;
}

static int read_line(struct sample_set *set, const char *line)
{
	char name[SAMPLES_NAME_SIZE], reason[SAMPLES_REASON_SIZE];
	double value;

	if (sscanf(line, "missing %63s %127[^\n]", name, reason) == 2)
		return add_reason(set, name, reason);
	if (sscanf(line, "%63s %lf", name, &value) == 2)
		return add_value(set, name, value);
	return -EINVAL;
}

int samples_read(struct sample_set *set, FILE *file, unsigned int *line_number)
{
	char line[512];
	int err;

	memset(set, 0, sizeof(*set));
	*line_number = 0;
	while (fgets(line, sizeof(line), file)) {
		++*line_number;
		err = read_line(set, line);
		if (err)
			return err;
	}
	return ferror(file) ? -EIO : 0;
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
