/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* An open hash table, half full at most, that lives as long as the question. Strangers choose what is in it: the hash is keyed. */
#include "top_sources.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "events.h"
#include "siphash.h"

#define PLACES (2 * TOP_SOURCES_SAMPLE)
#define V4_BITS_BEFORE 96
#define STATES (NOL_FLOW_GONE + 1)
#define METHODS (NOL_METHOD_RAW + 1)

struct source {
	struct prefix prefix;
	uint32_t flows, half_open, handed_off; /* flows: 0: the place is empty */
};

struct sample {
	const struct snapshot *snapshot;
	uint8_t key[SIPHASH_KEY_SIZE];
	uint32_t flows;
	bool is_cut; /* there are more */
	uint32_t states[STATES], methods[METHODS];
	struct source sources[PLACES];
};

static struct prefix source_of(const struct snapshot *snapshot, const struct addr *remote)
{
	struct prefix prefix = {
		.addr = *remote,
		.bits = addr_is_v4(remote) ? V4_BITS_BEFORE + snapshot->source_bits_v4
					   : snapshot->source_bits_v6,
	};

	for (unsigned int bit = prefix.bits; bit < 128; bit++)
		prefix.addr.bytes[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
	return prefix;
}

static struct source *find_source(struct sample *sample, const struct prefix *prefix)
{
	uint32_t place = siphash_24(sample->key, &prefix->addr, sizeof(prefix->addr)) % PLACES;

	while (sample->sources[place].flows &&
	       !addr_is_equal(&sample->sources[place].prefix.addr, &prefix->addr))
		place = (place + 1) % PLACES;
	return &sample->sources[place];
}

static bool add_flow(void *context, const struct tuple *tuple, const struct nol_flow *flow)
{
	struct sample *sample = context;
	const struct prefix prefix = source_of(sample->snapshot, &tuple->remote.addr);
	struct source *source;

	if (sample->flows == TOP_SOURCES_SAMPLE) {
		sample->is_cut = true;
		return false;
	}
	sample->flows++;
	source = find_source(sample, &prefix);
	source->prefix = prefix;
	source->flows++;
	source->half_open += flow->state == NOL_FLOW_SYN_RECEIVED;
	source->handed_off += flow->state == NOL_FLOW_HANDED_OFF;
	if (flow->state < STATES)
		sample->states[flow->state]++;
	if (flow->method < METHODS)
		sample->methods[flow->method]++;
	return true;
}

static int compare(const void *a, const void *b)
{
	const struct source *first = a, *second = b;

	if (first->flows != second->flows)
		return first->flows > second->flows ? -1 : 1;
	return memcmp(&first->prefix.addr, &second->prefix.addr, sizeof(first->prefix.addr));
}

static json_t *list_sources(struct sample *sample)
{
	json_t *list = json_array();
	char text[ADDR_TEXT_SIZE + 4];

	qsort(sample->sources, PLACES, sizeof(sample->sources[0]), compare);
	for (size_t i = 0; i < TOP_SOURCES_SHOWN && sample->sources[i].flows; i++) {
		const struct source *source = &sample->sources[i];

		if (source->prefix.bits == 128)
			addr_format(&source->prefix.addr, text);
		else
			prefix_format(&source->prefix, text);
		json_array_append_new(list,
				      json_pack("{s:s, s:I, s:I, s:I}", "source", text, "flows",
						(json_int_t)source->flows, "half_open",
						(json_int_t)source->half_open, "handed_off",
						(json_int_t)source->handed_off));
	}
	return list;
}

static json_t *count_states(const struct sample *sample)
{
	json_t *object = json_object();

	for (size_t i = 0; i < STATES; i++)
		if (sample->states[i])
			json_object_set_new(object, snapshot_state_text((enum nol_flow_state)i),
					    json_integer(sample->states[i]));
	return object;
}

static json_t *count_methods(const struct sample *sample)
{
	json_t *object = json_object();

	for (size_t i = 1; i < METHODS; i++)
		if (sample->methods[i])
			json_object_set_new(object, method_text((enum nol_method)i),
					    json_integer(sample->methods[i]));
	return object;
}

/* Those that are half-open, and what was handed off and not closed since. */
static uint64_t count_by_sums(const struct worker_counts *sum)
{
	return sum->half_open + sum->session.handed_off - sum->session.closed;
}

json_t *top_sources_to_json(struct core *core, top_visit_fn visit, struct snapshot *snapshot)
{
	struct sample *sample = calloc(1, sizeof(*sample));
	json_t *object;

	if (!sample)
		return NULL;
	sample->snapshot = snapshot;
	if (getrandom(sample->key, sizeof(sample->key), 0) != sizeof(sample->key)) {
		free(sample);
		return NULL;
	}
	visit(core, add_flow, sample);
	snapshot->flows = sample->is_cut ? count_by_sums(&snapshot->sum) : sample->flows;
	object = json_pack("{s:I, s:b, s:o, s:o, s:o}", "sampled", (json_int_t)sample->flows,
			   "is_all", !sample->is_cut, "states", count_states(sample), "methods",
			   count_methods(sample), "list", list_sources(sample));
	free(sample);
	return object;
}
