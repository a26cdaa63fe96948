/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A ring of tuples that doubles when it is full. */
#include "grace.h"

#include <errno.h>
#include <stdlib.h>

#define FIRST_SIZE 256

struct entry {
	struct tuple tuple;
	uint64_t until_ns;
};

struct grace {
	struct entry *entries;
	uint32_t size; /* a power of two */
	uint32_t head, count;
};

int grace_new(struct grace **out)
{
	struct grace *grace = calloc(1, sizeof(*grace));

	if (!grace)
		return -ENOMEM;
	grace->size = FIRST_SIZE;
	grace->entries = malloc(grace->size * sizeof(struct entry));
	if (!grace->entries) {
		free(grace);
		return -ENOMEM;
	}
	*out = grace;
	return 0;
}

void grace_free(struct grace *grace)
{
	if (!grace)
		return;
	free(grace->entries);
	free(grace);
}

static int double_size(struct grace *grace)
{
	struct entry *entries = malloc(2 * (size_t)grace->size * sizeof(*entries));

	if (!entries)
		return -ENOMEM;
	for (uint32_t i = 0; i < grace->count; i++)
		entries[i] = grace->entries[(grace->head + i) & (grace->size - 1)];
	free(grace->entries);
	grace->entries = entries;
	grace->head = 0;
	grace->size *= 2;
	return 0;
}

int grace_add(struct grace *grace, const struct tuple *tuple, uint64_t until_ns)
{
	if (grace->count == grace->size && double_size(grace))
		return -ENOMEM;
	grace->entries[(grace->head + grace->count++) & (grace->size - 1)] =
		(struct entry){.tuple = *tuple, .until_ns = until_ns};
	return 0;
}

bool grace_take(struct grace *grace, uint64_t now_ns, struct tuple *out)
{
	const struct entry *oldest = &grace->entries[grace->head];

	if (!grace->count || oldest->until_ns > now_ns)
		return false;
	*out = oldest->tuple;
	grace->head = (grace->head + 1) & (grace->size - 1);
	grace->count--;
	return true;
}
