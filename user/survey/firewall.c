/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "firewall.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void firewall_rule_free(struct firewall_rule *rule)
{
	for (size_t i = 0; i < rule->match_count; i++)
		free(rule->matches[i].values);
	free(rule->matches);
	free(rule->target);
	free(rule->text);
	*rule = (struct firewall_rule){0};
}

void firewall_free(struct firewall *firewall)
{
	for (size_t i = 0; i < firewall->chain_count; i++) {
		struct firewall_chain *chain = firewall->chains[i];

		for (size_t j = 0; j < chain->rule_count; j++)
			firewall_rule_free(&chain->rules[j]);
		free(chain->rules);
		free(chain);
	}
	free(firewall->chains);
	*firewall = (struct firewall){0};
}

static void set_families(struct firewall_chain *chain)
{
	chain->has_v4 = strcmp(chain->family, "ip6") && strcmp(chain->family, "arp");
	chain->has_v6 = strcmp(chain->family, "ip") && strcmp(chain->family, "arp");
}

struct firewall_chain *firewall_add_chain(struct firewall *firewall, const char *tool,
					  const char *family, const char *table, const char *name)
{
	struct firewall_chain *chain = calloc(1, sizeof(*chain));
	struct firewall_chain **grown = reallocarray(firewall->chains, firewall->chain_count + 1,
						     sizeof(struct firewall_chain *));

	if (grown)
		firewall->chains = grown;
	if (!chain || !grown) {
		free(chain);
		return NULL;
	}
	chain->tool = tool;
	snprintf(chain->family, sizeof(chain->family), "%s", family);
	snprintf(chain->table, sizeof(chain->table), "%s", table);
	snprintf(chain->name, sizeof(chain->name), "%s", name);
	set_families(chain);
	grown[firewall->chain_count++] = chain;
	return chain;
}

struct firewall_chain *firewall_find_chain(const struct firewall *firewall, const char *tool,
					   const char *family, const char *table, const char *name)
{
	for (size_t i = 0; i < firewall->chain_count; i++) {
		struct firewall_chain *chain = firewall->chains[i];

		if (!strcmp(chain->name, name) && !strcmp(chain->table, table) &&
		    !strcmp(chain->family, family) && !strcmp(chain->tool, tool))
			return chain;
	}
	return NULL;
}

int firewall_add_rule(struct firewall_chain *chain, struct firewall_rule *rule)
{
	struct firewall_rule *grown =
		reallocarray(chain->rules, chain->rule_count + 1, sizeof(*grown));

	if (!grown) {
		firewall_rule_free(rule);
		return -ENOMEM;
	}
	chain->rules = grown;
	grown[chain->rule_count++] = *rule;
	*rule = (struct firewall_rule){0};
	return 0;
}

struct firewall_match *firewall_add_match(struct firewall_rule *rule, enum firewall_key key)
{
	struct firewall_match *grown =
		reallocarray(rule->matches, rule->match_count + 1, sizeof(*grown));

	if (!grown)
		return NULL;
	rule->matches = grown;
	grown += rule->match_count++;
	*grown = (struct firewall_match){.key = key, .mask = ~0u};
	return grown;
}

struct firewall_value *firewall_add_value(struct firewall_match *match)
{
	struct firewall_value *grown =
		reallocarray(match->values, match->count + 1, sizeof(*grown));

	if (!grown)
		return NULL;
	match->values = grown;
	grown += match->count++;
	*grown = (struct firewall_value){0};
	return grown;
}

int firewall_add_number(struct firewall_match *match, uint32_t from, uint32_t to)
{
	struct firewall_value *value = firewall_add_value(match);

	if (!value)
		return -ENOMEM;
	value->from = from;
	value->to = to;
	return 0;
}

int firewall_add_prefix(struct firewall_match *match, const struct prefix *prefix)
{
	struct firewall_value *value = firewall_add_value(match);

	if (!value)
		return -ENOMEM;
	value->first = value->last = prefix->addr;
	for (unsigned int bit = prefix->bits; bit < 128; bit++) {
		value->first.bytes[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
		value->last.bytes[bit / 8] |= (uint8_t)(0x80u >> bit % 8);
	}
	return 0;
}

struct bit_name {
	const char *name;
	uint32_t bit;
};

static uint32_t find_bit(const struct bit_name *names, const char *name, size_t len)
{
	for (; names->name; names++)
		if (strlen(names->name) == len && !strncasecmp(names->name, name, len))
			return names->bit;
	return 0;
}

uint32_t firewall_ct_state(const char *name, size_t len)
{
	static const struct bit_name names[] = {{"new", FIREWALL_CT_NEW},
						{"established", FIREWALL_CT_ESTABLISHED},
						{"related", FIREWALL_CT_RELATED},
						{"invalid", FIREWALL_CT_INVALID},
						{"untracked", FIREWALL_CT_UNTRACKED},
						{0}};

	return find_bit(names, name, len);
}

uint32_t firewall_tcp_flag(const char *name, size_t len)
{
	static const struct bit_name names[] = {{"fin", FIREWALL_FIN}, {"syn", FIREWALL_SYN},
						{"rst", FIREWALL_RST}, {"psh", 8},
						{"ack", FIREWALL_ACK}, {"urg", 32},
						{"ecn", 64},	       {"cwr", 128},
						{"all", 0x3f},	       {0}};

	return find_bit(names, name, len);
}

void firewall_cut_ports(const struct firewall *firewall, struct port_set *cuts)
{
	port_set_add(cuts, 1);
	for (size_t i = 0; i < firewall->chain_count; i++) {
		const struct firewall_chain *chain = firewall->chains[i];

		for (size_t j = 0; j < chain->rule_count; j++)
			for (size_t k = 0; k < chain->rules[j].match_count; k++) {
				const struct firewall_match *match = &chain->rules[j].matches[k];

				if (match->key != FIREWALL_SPORT && match->key != FIREWALL_DPORT)
					continue;
				for (size_t v = 0; v < match->count; v++) {
					port_set_add(cuts, (uint16_t)match->values[v].from);
					if (match->values[v].to < UINT16_MAX)
						port_set_add(cuts,
							     (uint16_t)(match->values[v].to + 1));
				}
			}
	}
}
