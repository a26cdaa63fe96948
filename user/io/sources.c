/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One chained hash table for flows and sources: a source is a key without ports, which no flow is. The hash is keyed,
 * since strangers choose the keys.
 */
#include "sources.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "siphash.h"

#define V4_BITS_BEFORE 96

struct node {
	struct tuple key;
	struct node *next;
	struct node *source; /* of a flow */
	uint32_t held; /* of a source: its flows */
};

struct sources {
	struct sources_options options;
	pthread_mutex_t lock;
	uint8_t key[SIPHASH_KEY_SIZE];
	uint32_t mask;
	struct node **buckets;
	uint32_t flows;
};

_Static_assert(sizeof(struct tuple) == 36, "padding would be hashed");

static uint32_t round_up(uint32_t number)
{
	uint32_t power = 1;

	while (power < number && power < 1u << 31)
		power <<= 1;
	return power;
}

int sources_new(struct sources **out, const struct sources_options *options)
{
	struct sources *sources = calloc(1, sizeof(*sources));

	if (!sources)
		return -ENOMEM;
	sources->options = *options;
	pthread_mutex_init(&sources->lock, NULL);
	sources->mask = round_up(options->max_flows) - 1;
	sources->buckets = calloc((size_t)sources->mask + 1, sizeof(*sources->buckets));
	if (!sources->buckets ||
	    getrandom(sources->key, sizeof(sources->key), 0) != sizeof(sources->key)) {
		sources_free(sources);
		return -ENOMEM;
	}
	*out = sources;
	return 0;
}

void sources_free(struct sources *sources)
{
	if (!sources)
		return;
	for (size_t i = 0; sources->buckets && i <= sources->mask; i++) {
		while (sources->buckets[i]) {
			struct node *node = sources->buckets[i];

			sources->buckets[i] = node->next;
			free(node);
		}
	}
	free(sources->buckets);
	pthread_mutex_destroy(&sources->lock);
	free(sources);
}

/* The link to the node of this key, or to the end of its chain. */
static struct node **find_link(struct sources *sources, const struct tuple *key)
{
	struct node **link =
		&sources->buckets[siphash_24(sources->key, key, sizeof(*key)) & sources->mask];

	while (*link && !tuple_is_equal(&(*link)->key, key))
		link = &(*link)->next;
	return link;
}

static struct node *add(struct node **end, const struct tuple *key)
{
	struct node *node = calloc(1, sizeof(*node));

	if (node)
		node->key = *key;
	*end = node;
	return node;
}

static void remove_node(struct sources *sources, const struct tuple *key)
{
	struct node **link = find_link(sources, key), *node = *link;

	*link = node->next;
	free(node);
}

static struct tuple source_of(const struct sources *sources, const struct addr *remote)
{
	const unsigned int bits = addr_is_v4(remote) ? V4_BITS_BEFORE + sources->options.bits_v4
						     : sources->options.bits_v6;
	struct tuple key;

	memset(&key, 0, sizeof(key));
	for (unsigned int i = 0; i < sizeof(remote->bytes) && i * 8 < bits; i++) {
		const unsigned int rest = bits - i * 8;

		key.remote.addr.bytes[i] =
			remote->bytes[i] & (rest < 8 ? (uint8_t)(0xff00 >> rest) : 0xff);
	}
	return key;
}

static void tell_full(const struct sources *sources, const struct node *source, bool is_full)
{
	if (sources->options.full)
		sources->options.full(sources->options.context, &source->key.remote.addr, is_full);
}

/* Its source is there, with room. */
static int add_flow(struct sources *sources, const struct tuple *tuple, struct node *source)
{
	struct node *flow = add(find_link(sources, tuple), tuple);

	if (!flow)
		return -ENOMEM;
	flow->source = source;
	source->held++;
	sources->flows++;
	if (source->held == sources->options.max)
		tell_full(sources, source, true);
	return 1;
}

static int hold(struct sources *sources, const struct tuple *tuple)
{
	const struct tuple key = source_of(sources, &tuple->remote.addr);
	struct node **link, *source;
	int result;

	if (*find_link(sources, tuple))
		return 0;
	link = find_link(sources, &key);
	source = *link ?: add(link, &key);
	if (!source)
		return -ENOMEM;
	if (source->held >= sources->options.max)
		return -EDQUOT;
	result = add_flow(sources, tuple, source);
	if (!source->held)
		remove_node(sources, &key);
	return result;
}

int sources_hold(struct sources *sources, const struct tuple *tuple)
{
	int result;

	pthread_mutex_lock(&sources->lock);
	result = hold(sources, tuple);
	pthread_mutex_unlock(&sources->lock);
	return result;
}

void sources_release(struct sources *sources, const struct tuple *tuple)
{
	struct node *flow, *source;

	pthread_mutex_lock(&sources->lock);
	flow = *find_link(sources, tuple);
	if (flow) {
		source = flow->source;
		remove_node(sources, tuple);
		sources->flows--;
		if (source->held == sources->options.max)
			tell_full(sources, source, false);
		if (!--source->held)
			remove_node(sources, &(struct tuple){.remote = source->key.remote});
	}
	pthread_mutex_unlock(&sources->lock);
}

uint32_t sources_held(struct sources *sources, const struct addr *remote)
{
	const struct tuple key = source_of(sources, remote);
	const struct node *source;
	uint32_t held;

	pthread_mutex_lock(&sources->lock);
	source = *find_link(sources, &key);
	held = source ? source->held : 0;
	pthread_mutex_unlock(&sources->lock);
	return held;
}

/* All of them, *count; to be freed. */
static struct tuple *list_flows(struct sources *sources, uint32_t *count)
{
	struct tuple *list;

	*count = 0;
	pthread_mutex_lock(&sources->lock);
	list = malloc((sources->flows + 1) * sizeof(*list));
	for (size_t i = 0; list && i <= sources->mask; i++)
		for (const struct node *node = sources->buckets[i]; node; node = node->next)
			if (node->source)
				list[(*count)++] = node->key;
	pthread_mutex_unlock(&sources->lock);
	return list;
}

int sources_visit(struct sources *sources, bool (*fn)(void *context, const struct tuple *tuple),
		  void *context)
{
	uint32_t count;
	struct tuple *list = list_flows(sources, &count);

	if (!list)
		return -ENOMEM;
	for (uint32_t i = 0; i < count && fn(context, &list[i]); i++)
		;
	free(list);
	return (int)count;
}
