/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The flow table: chained buckets, keyed by SipHash so that nobody outside can fill one bucket. All memory is
 * taken at the start; the kernel commits a page of it when the first flow there is used.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tcb.h"

#define MAX_FLOWS (1u << 24)

_Static_assert(sizeof(struct tuple) == 36, "padding would be hashed");

static uint32_t count_buckets(uint32_t max_flows)
{
	uint32_t count = 1;

	while (count < max_flows)
		count *= 2;
	return count;
}

int tcb_table_init(struct tcb_table *table, const uint8_t key[SIPHASH_KEY_SIZE], uint32_t max_flows)
{
	uint32_t buckets = count_buckets(max_flows <= MAX_FLOWS ? max_flows : 0);

	if (!max_flows || max_flows > MAX_FLOWS)
		return -EINVAL;
	memset(table, 0, sizeof(*table));
	memcpy(table->key, key, sizeof(table->key));
	table->mask = buckets - 1;
	table->max_flows = max_flows;
	table->buckets = calloc(buckets, sizeof(*table->buckets));
	table->slab = calloc(max_flows, sizeof(*table->slab));
	if (table->buckets && table->slab)
		return 0;
	tcb_table_free(table);
	return -ENOMEM;
}

void tcb_table_free(struct tcb_table *table)
{
	free(table->buckets);
	free(table->slab);
}

static struct tcb **find_bucket(const struct tcb_table *table, const struct tuple *tuple)
{
	uint64_t hash = siphash_24(table->key, tuple, sizeof(*tuple));

	return &table->buckets[hash & table->mask];
}

struct tcb *tcb_table_find(const struct tcb_table *table, const struct tuple *tuple)
{
	struct tcb *tcb = *find_bucket(table, tuple);

	while (tcb && !tuple_is_equal(&tcb->public.tuple, tuple))
		tcb = tcb->chain;
	return tcb;
}

static struct tcb *take_free(struct tcb_table *table)
{
	struct tcb *tcb = table->free;

	if (tcb)
		table->free = tcb->chain;
	else if (table->used < table->max_flows)
		tcb = &table->slab[table->used++];
	return tcb;
}

struct tcb *tcb_table_add(struct tcb_table *table, const struct tuple *tuple)
{
	struct tcb **bucket = find_bucket(table, tuple);
	struct tcb *tcb = take_free(table);

	if (!tcb)
		return NULL;
	memset(tcb, 0, sizeof(*tcb));
	tcb->public.tuple = *tuple;
	tcb->chain = *bucket;
	*bucket = tcb;
	table->count++;
	return tcb;
}

void tcb_table_remove(struct tcb_table *table, struct tcb *tcb)
{
	struct tcb **link = find_bucket(table, &tcb->public.tuple);

	while (*link != tcb)
		link = &(*link)->chain;
	*link = tcb->chain;
	tcb->chain = table->free;
	table->free = tcb;
	table->count--;
}
