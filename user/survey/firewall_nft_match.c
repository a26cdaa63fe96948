/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Conditions: what is asked for on the left, values on the right. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firewall_nft.h"
#include "numbers.h"

static bool is_text(const json_t *json, const char *text)
{
	const char *value = json_string_value(json);

	return value && !strcmp(value, text);
}

const json_t *nft_find_elements(const struct nft_parse *parse, const char *name)
{
	const json_t *item, *set;
	size_t index;

	json_array_foreach(parse->items, index, item)
	{
		set = json_object_get(item, "set") ?: json_object_get(item, "map");
		if (set && is_text(json_object_get(set, "name"), name + (*name == '@')) &&
		    is_text(json_object_get(set, "table"), parse->chain->table) &&
		    is_text(json_object_get(set, "family"), parse->chain->family))
			return json_object_get(set, "elem");
	}
	return NULL;
}

int nft_copy_matches(const struct firewall_rule *from, struct firewall_rule *to)
{
	for (size_t i = 0; i < from->match_count; i++) {
		struct firewall_match *match = firewall_add_match(to, from->matches[i].key),
				      *source = &from->matches[i];

		if (!match)
			return -ENOMEM;
		*match = *source;
		match->values = NULL;
		if (!source->count)
			continue;
		match->values = reallocarray(NULL, source->count, sizeof(*source->values));
		if (!match->values) {
			match->count = 0;
			return -ENOMEM;
		}
		memcpy(match->values, source->values, source->count * sizeof(*source->values));
	}
	return 0;
}

/* The header decides about more than the field. 0 or -ENOMEM. */
static int add_header(struct firewall_rule *rule, const char *protocol)
{
	const bool is_v4 = !strcmp(protocol, "ip"), is_v6 = !strcmp(protocol, "ip6");
	struct firewall_match *match;

	if (!strcmp(protocol, "tcp") || !strcmp(protocol, "th"))
		return 0;
	match = firewall_add_match(rule, is_v4 || is_v6 ? FIREWALL_FAMILY : FIREWALL_NEVER);
	if (!match)
		return -ENOMEM;
	return is_v4 || is_v6 ? firewall_add_number(match, is_v4 ? AF_INET : AF_INET6,
						    is_v4 ? AF_INET : AF_INET6)
			      : 0;
}

static enum firewall_key key_of_field(const char *field)
{
	static const struct {
		const char *name;
		enum firewall_key key;
	} fields[] = {{"dport", FIREWALL_DPORT},       {"sport", FIREWALL_SPORT},
		      {"daddr", FIREWALL_DADDR},       {"saddr", FIREWALL_SADDR},
		      {"protocol", FIREWALL_PROTOCOL}, {"nexthdr", FIREWALL_PROTOCOL},
		      {"flags", FIREWALL_TCP_FLAGS}};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (!strcmp(fields[i].name, field))
			return fields[i].key;
	return FIREWALL_UNKNOWN;
}

static enum firewall_key key_of_meta(const char *name)
{
	static const struct {
		const char *name;
		enum firewall_key key;
	} keys[] = {{"iifname", FIREWALL_IIF},	    {"iif", FIREWALL_IIF},
		    {"oifname", FIREWALL_OIF},	    {"oif", FIREWALL_OIF},
		    {"l4proto", FIREWALL_PROTOCOL}, {"nfproto", FIREWALL_FAMILY},
		    {"mark", FIREWALL_MARK}};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (!strcmp(keys[i].name, name))
			return keys[i].key;
	return FIREWALL_UNKNOWN;
}

static enum firewall_key key_of(const json_t *left, const json_t *right)
{
	const json_t *payload = json_object_get(left, "payload");
	const json_t *meta = json_object_get(left, "meta");
	const json_t *ct = json_object_get(left, "ct"), *fib = json_object_get(left, "fib");
	const char *name;

	if (payload) {
		name = json_string_value(json_object_get(payload, "field"));
		return key_of_field(name ? name : "");
	}
	if (meta) {
		name = json_string_value(json_object_get(meta, "key"));
		return key_of_meta(name ? name : "");
	}
	if (is_text(json_object_get(ct, "key"), "state"))
		return FIREWALL_CT_STATE;
	/* Nobody has translated the addresses of what we answer. */
	if (is_text(json_object_get(ct, "key"), "status") && is_text(right, "dnat"))
		return FIREWALL_NEVER;
	if (is_text(json_object_get(fib, "result"), "type") && is_text(right, "local") &&
	    is_text(json_array_get(json_object_get(fib, "flags"), 0), "daddr"))
		return FIREWALL_LOCAL;
	return FIREWALL_UNKNOWN;
}

/* "syn", 2, ["syn", "ack"], {"|": [...]}: bits; false: not known. */
static bool read_bits(const json_t *json, enum firewall_key key, uint32_t *out)
{
	const json_t *list = json_object_get(json, "|") ?: json, *one;
	const char *name = json_string_value(json);
	size_t index;

	if (json_is_integer(json)) {
		*out |= (uint32_t)json_integer_value(json);
		return true;
	}
	if (name) {
		const uint32_t bit = key == FIREWALL_CT_STATE
					     ? firewall_ct_state(name, strlen(name))
					     : firewall_tcp_flag(name, strlen(name));

		*out |= bit;
		return bit;
	}
	json_array_foreach(list, index, one) if (!read_bits(one, key, out)) return false;
	return json_array_size(list) > 0;
}

static bool read_number(const json_t *json, enum firewall_key key, uint32_t *out)
{
	const char *name = json_string_value(json);
	uint64_t number;

	if (json_is_integer(json)) {
		*out = (uint32_t)json_integer_value(json);
		return true;
	}
	if (!name)
		return false;
	if (number_parse(name, 0, UINT32_MAX, &number)) {
		*out = (uint32_t)number;
		return true;
	}
	if (key == FIREWALL_FAMILY) {
		*out = !strcmp(name, "ipv4") ? AF_INET : !strcmp(name, "ipv6") ? AF_INET6 : 0;
		return *out;
	}
	if (key != FIREWALL_PROTOCOL)
		return false;
	*out = !strcmp(name, "tcp") ? IPPROTO_TCP : IPPROTO_MAX;
	return true;
}

static bool read_address(const json_t *json, struct firewall_match *match)
{
	const json_t *prefix = json_object_get(json, "prefix");
	const json_t *range = json_object_get(json, "range");
	const char *text = json_string_value(prefix ? json_object_get(prefix, "addr") : json);
	struct firewall_value *value = firewall_add_value(match);
	struct prefix parsed;

	if (!value)
		return false;
	if (range) {
		const char *from = json_string_value(json_array_get(range, 0));
		const char *to = json_string_value(json_array_get(range, 1));

		return from && to && addr_parse(from, &value->first) &&
		       addr_parse(to, &value->last);
	}
	match->count--;
	if (!text || !addr_parse(text, &parsed.addr))
		return false;
	parsed.bits = 128;
	if (prefix)
		parsed.bits = (uint8_t)(json_integer_value(json_object_get(prefix, "len")) +
					(addr_is_v4(&parsed.addr) ? 96 : 0));
	return !firewall_add_prefix(match, &parsed);
}

static bool read_numbers(const json_t *json, struct firewall_match *match)
{
	const json_t *range = json_object_get(json, "range");
	uint32_t from, to;

	if (!read_number(range ? json_array_get(range, 0) : json, match->key, &from) ||
	    !read_number(range ? json_array_get(range, 1) : json, match->key, &to))
		return false;
	return !firewall_add_number(match, from, to);
}

static bool read_name(const json_t *json, struct firewall_match *match)
{
	const char *name = json_string_value(json);
	struct firewall_value *value = name ? firewall_add_value(match) : NULL;

	if (value)
		snprintf(value->name, sizeof(value->name), "%s", name);
	return value;
}

static bool read_one(const json_t *json, struct firewall_match *match)
{
	uint32_t bits = 0;

	/* An element may have a timeout, a counter, a comment. */
	json = json_object_get(json_object_get(json, "elem"), "val") ?: json;
	switch (match->key) {
	case FIREWALL_IIF:
	case FIREWALL_OIF:
		return read_name(json, match);
	case FIREWALL_SADDR:
	case FIREWALL_DADDR:
		return read_address(json, match);
	case FIREWALL_CT_STATE:
	case FIREWALL_TCP_FLAGS:
		return read_bits(json, match->key, &bits) &&
		       !firewall_add_number(match, bits, bits);
	default:
		return read_numbers(json, match);
	}
}

/* False: not understood. */
static bool read_values(const struct nft_parse *parse, const json_t *right,
			struct firewall_match *match)
{
	const char *name = json_string_value(right);
	const json_t *list = json_object_get(right, "set"), *one;
	size_t index;

	if (name && *name == '@')
		list = nft_find_elements(parse, name);
	else if (!list)
		return read_one(right, match);
	json_array_foreach(list, index, one) if (!read_one(one, match)) return false;
	return true; /* an empty set has nothing */
}

/* False: this operator is not understood. */
static bool read_operator(const char *op, const json_t *right, struct firewall_match *match)
{
	const bool is_bits = match->key == FIREWALL_CT_STATE || match->key == FIREWALL_TCP_FLAGS;
	uint32_t number = match->count == 1 ? match->values[0].from : 0;

	match->is_inverted = !strcmp(op, "!=") || !strcmp(op, "!");
	if (!strcmp(op, "in") || !strcmp(op, "!"))
		return match->has_any_bit = is_bits;
	if (!strcmp(op, "==") || !strcmp(op, "!="))
		return true;
	if (is_bits || match->key < FIREWALL_FAMILY || match->key > FIREWALL_MARK ||
	    !json_is_integer(right) || match->count != 1)
		return false;
	if (*op == '>')
		match->values[0] = (struct firewall_value){
			.from = number + (op[1] ? 0 : number < UINT32_MAX), .to = UINT16_MAX};
	else
		match->values[0] =
			(struct firewall_value){.from = 0, .to = number - (!op[1] && number)};
	return *op == '>' || *op == '<';
}

static void forget(struct firewall_match *match)
{
	free(match->values);
	*match = (struct firewall_match){.key = FIREWALL_UNKNOWN};
}

/* Parts of a key with dots, each with its part of the element. */
static int add_parts(const struct nft_parse *parse, struct firewall_rule *rule, const json_t *left,
		     const json_t *right)
{
	const json_t *parts = json_object_get(right, "concat"), *one;
	size_t index;
	int err = 0;

	if (json_array_size(parts) != json_array_size(left))
		return firewall_add_match(rule, FIREWALL_UNKNOWN) ? 0 : -ENOMEM;
	json_array_foreach(left, index, one) err =
		err ?: nft_add_match(parse, rule, one, json_array_get(parts, index), "==");
	return err;
}

int nft_add_match(const struct nft_parse *parse, struct firewall_rule *rule, const json_t *left,
		  const json_t *right, const char *op)
{
	const json_t *masked = json_object_get(left, "&");
	const json_t *concat = json_object_get(left, "concat");
	const json_t *inner = masked ? json_array_get(masked, 0) : left;
	const enum firewall_key key = key_of(inner, right);
	const char *protocol =
		json_string_value(json_object_get(json_object_get(inner, "payload"), "protocol"));
	struct firewall_match *match;
	uint32_t mask = 0;
	bool is_known;

	if (concat && json_object_get(right, "concat"))
		return add_parts(parse, rule, concat, right);
	if (protocol && add_header(rule, protocol))
		return -ENOMEM;
	match = firewall_add_match(rule, key);
	if (!match)
		return -ENOMEM;
	if (key <= FIREWALL_LOCAL && key != FIREWALL_IIF && key != FIREWALL_OIF) {
		match->is_inverted = !strcmp(op, "!=") && key != FIREWALL_UNKNOWN;
		return 0;
	}
	is_known = read_values(parse, right, match) && read_operator(op, right, match);
	if (is_known && masked) {
		is_known = read_bits(json_array_get(masked, 1), key, &mask);
		match->mask = mask;
	}
	if (!is_known)
		forget(match);
	return 0;
}
