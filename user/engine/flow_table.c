/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The flow table: chained buckets, keyed by SipHash so that nobody outside can fill one bucket. All memory is
 * taken at the start; the kernel commits a page of it when the first flow there is used.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "flow.h"

#define MAX_FLOWS (1u << 24)

_Static_assert(sizeof(struct tuple) == 36, "padding would be hashed");

static uint32_t count_buckets(uint32_t max_flows)
{
	uint32_t count = 1;

	while (count < max_flows)
		count *= 2;
	return count;
}

int flow_table_init(struct flow_table *table, const uint8_t key[SIPHASH_KEY_SIZE],
		    uint32_t max_flows)
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
	flow_table_free(table);
	return -ENOMEM;
}

void flow_table_free(struct flow_table *table)
{
	free(table->buckets);
	free(table->slab);
}

static struct flow **find_bucket(const struct flow_table *table, const struct tuple *tuple)
{
	uint64_t hash = siphash_24(table->key, tuple, sizeof(*tuple));

	return &table->buckets[hash & table->mask];
}

struct flow *flow_table_find(const struct flow_table *table, const struct tuple *tuple)
{
	struct flow *flow = *find_bucket(table, tuple);

	while (flow && !tuple_is_equal(&flow->public.tuple, tuple))
		flow = flow->chain;
	return flow;
}

static struct flow *take_free(struct flow_table *table)
{
	struct flow *flow = table->free;

	if (flow)
		table->free = flow->chain;
	else if (table->used < table->max_flows)
		flow = &table->slab[table->used++];
	return flow;
}

struct flow *flow_table_add(struct flow_table *table, const struct tuple *tuple)
{
	struct flow **bucket = find_bucket(table, tuple);
	struct flow *flow = take_free(table);

	if (!flow)
		return NULL;
	memset(flow, 0, sizeof(*flow));
	flow->public.tuple = *tuple;
	flow->chain = *bucket;
	*bucket = flow;
	table->count++;
	return flow;
}

void flow_table_remove(struct flow_table *table, struct flow *flow)
{
	struct flow **link = find_bucket(table, &flow->public.tuple);

	while (*link != flow)
		link = &(*link)->chain;
	*link = flow->chain;
	flow->chain = table->free;
	table->free = flow;
	table->count--;
}
