/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* libnftables-json(5), as far as it tells of TCP segments. Maps of verdicts become a rule for each of their elements. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firewall.h"
#include "firewall_nft.h"

#define IS(object, key) json_object_get(object, key)

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static enum firewall_hook hook_of(const char *name)
{
	static const struct {
		const char *name;
		enum firewall_hook hook;
	} hooks[] = {
		{"", FIREWALL_NO_HOOK},
		{"ingress", FIREWALL_INGRESS},
		{"prerouting", FIREWALL_PREROUTING},
		{"input", FIREWALL_INPUT},
		{"output", FIREWALL_OUTPUT},
		{"postrouting", FIREWALL_POSTROUTING},
	};

	for (size_t i = 0; i < sizeof(hooks) / sizeof(hooks[0]); i++)
		if (!strcmp(hooks[i].name, name))
			return hooks[i].hook;
	return FIREWALL_OTHER_HOOK;
}

static int add_chain(struct firewall *firewall, const json_t *json)
{
	struct firewall_chain *chain =
		firewall_find_chain(firewall, "nft", text_of(json, "family"),
				    text_of(json, "table"), text_of(json, "name"));

	chain = chain
			?: firewall_add_chain(firewall, "nft", text_of(json, "family"),
					      text_of(json, "table"), text_of(json, "name"));
	if (!chain)
		return -ENOMEM;
	chain->hook = hook_of(text_of(json, "hook"));
	chain->priority = (int)json_integer_value(json_object_get(json, "prio"));
	chain->is_nat = !strcmp(text_of(json, "type"), "nat");
	chain->drops = !strcmp(text_of(json, "policy"), "drop");
	snprintf(chain->device, sizeof(chain->device), "%s", text_of(json, "dev"));
	return 0;
}

/* Of a statement that is a verdict. */
static bool read_verdict(const json_t *statement, struct firewall_rule *rule)
{
	static const struct {
		const char *name;
		enum firewall_verdict verdict;
	} verdicts[] = {
		{"accept", FIREWALL_ACCEPT},   {"drop", FIREWALL_DROP},
		{"reject", FIREWALL_DROP},     {"return", FIREWALL_RETURN},
		{"jump", FIREWALL_JUMP},       {"goto", FIREWALL_GOTO},
		{"dnat", FIREWALL_DNAT},       {"redirect", FIREWALL_DNAT},
		{"notrack", FIREWALL_NOTRACK}, {"tproxy", FIREWALL_TAKE},
		{"synproxy", FIREWALL_TAKE},   {"queue", FIREWALL_TAKE},
	};
	const json_t *body;

	for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
		body = json_object_get(statement, verdicts[i].name);
		if (!body)
			continue;
		rule->verdict = verdicts[i].verdict;
		free(rule->target);
		rule->target = rule->verdict == FIREWALL_DNAT ? nft_text_of_target(body)
							      : strdup(text_of(body, "target"));
		return true;
	}
	return false;
}

/* What neither asks nor decides. */
static bool is_silent(const json_t *statement)
{
	static const char *const names[] = {"counter",	 "log",	       "comment",	 "mangle",
					    "set",	 "map",	       "flow",		 "meter",
					    "fwd",	 "dup",	       "masquerade",	 "snat",
					    "ct helper", "ct timeout", "ct expectation", NULL};

	for (const char *const *name = names; *name; name++)
		if (json_object_get(statement, *name))
			return true;
	return false;
}

/* Each of its elements a rule behind the conditions of this one. */
static int add_map(const struct nft_parse *parse, const struct firewall_rule *before,
		   const json_t *vmap)
{
	const json_t *data = json_object_get(vmap, "data"), *elements, *pair;
	size_t index;
	int err = 0;

	elements = json_is_string(data) ? nft_find_elements(parse, json_string_value(data))
					: json_object_get(data, "set");
	json_array_foreach(elements, index, pair)
	{
		struct firewall_rule rule = {0};

		err = err ?: nft_copy_matches(before, &rule);
		err = err
			      ?: nft_add_match(parse, &rule, json_object_get(vmap, "key"),
					       json_array_get(pair, 0), "==");
		if (!err && read_verdict(json_array_get(pair, 1), &rule)) {
			rule.text = before->text ? strdup(before->text) : NULL;
			err = firewall_add_rule(parse->chain, &rule);
		}
		firewall_rule_free(&rule);
		if (err)
			break;
	}
	return err;
}

static int add_statement(const struct nft_parse *parse, struct firewall_rule *rule,
			 const json_t *statement)
{
	const json_t *match = json_object_get(statement, "match");
	const json_t *vmap = json_object_get(statement, "vmap");

	if (match)
		return nft_add_match(parse, rule, json_object_get(match, "left"),
				     json_object_get(match, "right"), text_of(match, "op"));
	if (vmap)
		return add_map(parse, rule, vmap);
	if (read_verdict(statement, rule) || is_silent(statement))
		return 0;
	return firewall_add_match(rule, FIREWALL_UNKNOWN) ? 0 : -ENOMEM;
}

static int add_rule(struct nft_parse *parse, const json_t *json)
{
	struct firewall_rule rule = {0};
	const json_t *statement, *statements = json_object_get(json, "expr");
	size_t index;
	int err = 0;

	parse->chain = firewall_find_chain(parse->firewall, "nft", text_of(json, "family"),
					   text_of(json, "table"), text_of(json, "chain"));
	if (!parse->chain)
		return 0;
	rule.text = nft_text_of_rule(statements);
	json_array_foreach(statements, index, statement) err =
		err ?: add_statement(parse, &rule, statement);
	if (!err && rule.verdict != FIREWALL_CONTINUE)
		err = firewall_add_rule(parse->chain, &rule);
	firewall_rule_free(&rule);
	return err;
}

/* Chains come before the rules that lead to them. */
static int add_all(struct nft_parse *parse)
{
	const json_t *item;
	size_t index;
	int err = 0;

	json_array_foreach(parse->items, index, item) if (!err && IS(item, "chain")) err =
		add_chain(parse->firewall, IS(item, "chain"));
	json_array_foreach(parse->items, index, item) if (!err && IS(item, "rule")) err =
		add_rule(parse, IS(item, "rule"));
	return err;
}

int firewall_add_nft(struct firewall *firewall, const char *json)
{
	json_t *root = json_loads(json, 0, NULL);
	struct nft_parse parse = {.firewall = firewall, .items = json_object_get(root, "nftables")};
	/* Chains of nat without a rule do not turn it on. */
	static const char *const words[] = {
		"{\"ct\":", "{\"dnat\":", "{\"snat\":", "{\"masquerade\":", "{\"redirect\":", NULL};
	int err = json_is_array(parse.items) ? add_all(&parse) : -EINVAL;

	for (const char *const *word = words; *word; word++)
		firewall->tracks |= strstr(json, *word) != NULL;
	json_decref(root);
	return err;
}

bool firewall_needs_iptables(const char *json)
{
	return strstr(json, "{\"xt\":");
}
