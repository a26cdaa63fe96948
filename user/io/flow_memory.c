// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A chained hash table; the hash is keyed, since strangers choose the keys. */
#include "flow_memory.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "kern.h"
#include "siphash.h"

struct node {
	struct flow_entry entry; /* first */
	struct tuple tuple;
	struct node *next;
};

struct flow_memory {
	uint8_t key[SIPHASH_KEY_SIZE];
	uint32_t max_flows, count, mask;
	struct node **buckets;
};

static uint32_t round_up(uint32_t number)
{
	uint32_t power = 1;

	while (power < number && power < 1u << 31)
		power <<= 1;
	return power;
}

int flow_memory_new(struct flow_memory **out, uint32_t max_flows)
{
	struct flow_memory *memory = calloc(1, sizeof(*memory));

	if (!memory)
		return -ENOMEM;
	memory->max_flows = max_flows;
	memory->mask = round_up(max_flows) - 1;
	memory->buckets = calloc((size_t)memory->mask + 1, sizeof(*memory->buckets));
	if (!memory->buckets ||
	    getrandom(memory->key, sizeof(memory->key), 0) != sizeof(memory->key)) {
		flow_memory_free(memory);
		return -ENOMEM;
	}
	*out = memory;
	return 0;
}

void flow_memory_free(struct flow_memory *memory)
{
	if (!memory)
		return;
	for (size_t i = 0; memory->buckets && i <= memory->mask; i++) {
		while (memory->buckets[i]) {
			struct node *node = memory->buckets[i];

			memory->buckets[i] = node->next;
			free(node);
		}
	}
	free(memory->buckets);
	free(memory);
}

/* The link to the node of this tuple, or to the end of its chain. */
static struct node **find_link(struct flow_memory *memory, const struct tuple *tuple)
{
	struct nol_flow_key key;
	struct node **link;

	kern_flow_key(tuple, &key);
	link = &memory->buckets[siphash_24(memory->key, &key, sizeof(key)) & memory->mask];
	while (*link && !tuple_is_equal(&(*link)->tuple, tuple))
		link = &(*link)->next;
	return link;
}

struct flow_entry *flow_memory_add(struct flow_memory *memory, const struct tuple *tuple)
{
	struct node *node;

	if (memory->count >= memory->max_flows) {
		errno = E2BIG;
		return NULL;
	}
	node = calloc(1, sizeof(*node));
	if (!node)
		return NULL;
	node->tuple = *tuple;
	*find_link(memory, tuple) = node;
	memory->count++;
	return &node->entry;
}

struct flow_entry *flow_memory_find(struct flow_memory *memory, const struct tuple *tuple)
{
	struct node *node = *find_link(memory, tuple);

	return node ? &node->entry : NULL;
}

void flow_memory_remove(struct flow_memory *memory, const struct tuple *tuple)
{
	struct node **link = find_link(memory, tuple);
	struct node *node = *link;

	if (!node)
		return;
	*link = node->next;
	memory->count--;
	free(node);
}

int flow_memory_visit(struct flow_memory *memory, flow_fn fn, void *context)
{
	int seen = 0;

	for (size_t i = 0; i <= memory->mask; i++) {
		for (struct node *node = memory->buckets[i]; node; node = node->next) {
			seen++;
			if (!fn(context, &node->tuple, &node->entry.flow))
				return seen;
		}
	}
	return seen;
}
