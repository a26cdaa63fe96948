/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "claim.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PREFIXES_MAX 256

static int add_prefix(struct claim *claim, const char *text, const char **why)
{
	struct prefix *grown =
		reallocarray(claim->prefixes, claim->prefix_count + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	claim->prefixes = grown;
	if (claim->prefix_count == PREFIXES_MAX) {
		*why = "more than 256 addresses";
		return -EINVAL;
	}
	if (!prefix_parse(text, &grown[claim->prefix_count])) {
		*why = "an address, or a prefix without host bits, is needed";
		return -EINVAL;
	}
	claim->prefix_count++;
	return 0;
}

static int parse_addresses(struct claim *claim, const char *addresses, const char **why)
{
	char *copy = strdup(addresses), *rest = copy, *text;
	int err = copy ? 0 : -ENOMEM;

	while (!err && (text = strsep(&rest, ",")))
		err = add_prefix(claim, text, why);
	free(copy);
	return err;
}

int claim_parse(struct claim *out, const char *ports, const char *addresses,
		const struct port_set *all, const char **why)
{
	*out = (struct claim){.ports = *all};
	if (ports && !strcmp(ports, "none"))
		out->ports = (struct port_set){0};
	else if (ports && !port_set_parse(ports, &out->ports, why))
		return -EINVAL;
	return addresses ? parse_addresses(out, addresses, why) : 0;
}

void claim_free(struct claim *claim)
{
	free(claim->prefixes);
	claim->prefixes = NULL;
	claim->prefix_count = 0;
}

bool claim_is_empty(const struct claim *claim)
{
	return !port_set_count(&claim->ports);
}

/* The lowest bit of the first word that has one. */
static bool find_port(uint64_t word, size_t i, uint16_t *port)
{
	if (word && port)
		*port = (uint16_t)(i * 64 + (size_t)__builtin_ctzll(word));
	return word;
}

bool claim_is_within(const struct claim *claim, const struct port_set *ports, uint16_t *outside)
{
	for (size_t i = 0; i < sizeof(ports->words) / sizeof(ports->words[0]); i++)
		if (find_port(claim->ports.words[i] & ~ports->words[i], i, outside))
			return false;
	return true;
}

static bool is_part_of(const struct prefix *part, const struct prefix *whole)
{
	return part->bits >= whole->bits && prefix_contains(whole, &part->addr);
}

const struct prefix *claim_find_outside(const struct claim *claim, const struct prefix *prefixes,
					size_t count)
{
	for (size_t i = 0; count && i < claim->prefix_count; i++) {
		size_t j = 0;

		while (j < count && !is_part_of(&claim->prefixes[i], &prefixes[j]))
			j++;
		if (j == count)
			return &claim->prefixes[i];
	}
	return NULL;
}

static bool share_an_address(const struct claim *a, const struct claim *b)
{
	for (size_t i = 0; i < a->prefix_count; i++)
		for (size_t j = 0; j < b->prefix_count; j++)
			if (is_part_of(&a->prefixes[i], &b->prefixes[j]) ||
			    is_part_of(&b->prefixes[j], &a->prefixes[i]))
				return true;
	return !a->prefix_count || !b->prefix_count;
}

bool claim_meets(const struct claim *a, const struct claim *b, uint16_t *port)
{
	if (!share_an_address(a, b))
		return false;
	for (size_t i = 0; i < sizeof(a->ports.words) / sizeof(a->ports.words[0]); i++)
		if (find_port(a->ports.words[i] & b->ports.words[i], i, port))
			return true;
	return false;
}
