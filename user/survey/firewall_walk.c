/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Three answers to whether a condition holds: no, maybe, yes. A chain is left by what holds for certain only. */
#include <netinet/in.h>
#include <string.h>

#include "firewall.h"

#define DEPTH_MAX 32 /* of jumps; the kernel allows 16 */

enum truth {
	NO,
	MAYBE,
	YES,
};

struct walk {
	const struct firewall *firewall;
	struct firewall_packet *packet;
	const struct firewall_chain *base;
	struct firewall_fate *fate;
	bool may_be_accepted; /* by a rule of this base chain */
};

static enum truth is_not(enum truth truth)
{
	return (enum truth)(YES - truth);
}

static bool has_number(const struct firewall_match *match, uint32_t number)
{
	for (size_t i = 0; i < match->count; i++) {
		const struct firewall_value *value = &match->values[i];

		number &= match->mask;
		if (match->has_any_bit ? number & value->from
				       : number >= value->from && number <= value->to)
			return true;
	}
	return false;
}

static bool has_name(const struct firewall_match *match, const char *name)
{
	for (size_t i = 0; i < match->count; i++) {
		const char *pattern = match->values[i].name;
		const size_t len = strlen(pattern);

		if (len && pattern[len - 1] == '*' ? !strncmp(pattern, name, len - 1)
						   : !strcmp(pattern, name))
			return true;
	}
	return false;
}

static bool is_in(const struct firewall_value *value, const struct prefix *prefix)
{
	return memcmp(&prefix->addr, &value->first, sizeof(prefix->addr)) >= 0 &&
	       memcmp(&prefix->addr, &value->last, sizeof(prefix->addr)) <= 0;
}

/* Of the addresses that it may be for: all, some, none. */
static enum truth has_local(const struct firewall_match *match,
			    const struct firewall_packet *packet)
{
	size_t known = 0, found = 0;

	for (size_t i = 0; i < packet->local_count; i++) {
		bool is_found = false;

		if (addr_is_v4(&packet->locals[i].addr) == packet->is_v6)
			continue;
		for (size_t j = 0; j < match->count && !is_found; j++)
			is_found = is_in(&match->values[j], &packet->locals[i]);
		known++;
		found += is_found;
	}
	return !known ? MAYBE : found == known ? YES : found ? MAYBE : NO;
}

static enum truth from_bool(bool is_true)
{
	return is_true ? YES : NO;
}

static enum truth holds_plainly(const struct firewall_match *match,
				const struct firewall_packet *packet)
{
	switch (match->key) {
	case FIREWALL_NEVER:
		return NO;
	case FIREWALL_IIF:
		return from_bool(!packet->is_out && has_name(match, packet->ifname));
	case FIREWALL_OIF:
		return from_bool(packet->is_out && has_name(match, packet->ifname));
	case FIREWALL_LOCAL:
		return packet->is_out ? MAYBE : YES;
	case FIREWALL_FAMILY:
		return from_bool(has_number(match, packet->is_v6 ? AF_INET6 : AF_INET));
	case FIREWALL_PROTOCOL:
		return from_bool(has_number(match, IPPROTO_TCP));
	case FIREWALL_SPORT:
		return packet->is_out ? from_bool(has_number(match, packet->port)) : MAYBE;
	case FIREWALL_DPORT:
		return packet->is_out ? MAYBE : from_bool(has_number(match, packet->port));
	case FIREWALL_MARK:
		return packet->has_mark ? from_bool(has_number(match, packet->mark)) : MAYBE;
	case FIREWALL_CT_STATE:
		return from_bool(has_number(match, packet->ct_state));
	case FIREWALL_TCP_FLAGS:
		return from_bool(has_number(match, packet->flags));
	case FIREWALL_SADDR:
		return packet->is_out ? has_local(match, packet) : MAYBE;
	case FIREWALL_DADDR:
		return packet->is_out ? MAYBE : has_local(match, packet);
	case FIREWALL_UNKNOWN:
		break;
	}
	return MAYBE;
}

static enum truth holds(const struct firewall_rule *rule, const struct firewall_packet *packet)
{
	enum truth all = YES;

	for (size_t i = 0; i < rule->match_count && all != NO; i++) {
		const struct firewall_match *match = &rule->matches[i];
		enum truth one = holds_plainly(match, packet);

		if (match->is_inverted)
			one = is_not(one);
		if (one < all)
			all = one;
	}
	return all;
}

/* A rule that picks out some remotes is meant for any service; one that names a port, a state or flags is meant for us. */
static bool is_about_us(const struct firewall_rule *rule)
{
	for (size_t i = 0; rule && i < rule->match_count; i++) {
		const enum firewall_key key = rule->matches[i].key;

		if (key == FIREWALL_DPORT || key == FIREWALL_SPORT || key == FIREWALL_CT_STATE ||
		    key == FIREWALL_TCP_FLAGS)
			return true;
	}
	return !rule;
}

static void record(struct walk *walk, const struct firewall_chain *chain,
		   const struct firewall_rule *rule, enum firewall_verdict verdict, bool is_certain)
{
	struct firewall_fate *fate = walk->fate;

	if (fate->verdict != FIREWALL_ACCEPT && (fate->is_certain || !is_certain))
		return;
	if (!is_certain && verdict == FIREWALL_DROP && !is_about_us(rule))
		return;
	*fate = (struct firewall_fate){
		.verdict = verdict, .is_certain = is_certain, .chain = chain, .rule = rule};
}

static enum firewall_verdict walk_chain(struct walk *walk, const struct firewall_chain *chain,
					bool is_certain, unsigned int depth);

static enum firewall_verdict walk_to(struct walk *walk, const struct firewall_chain *from,
				     const char *name, bool is_certain, unsigned int depth)
{
	const struct firewall_chain *chain = firewall_find_chain(
		walk->firewall, from->tool, from->family, from->table, name ? name : "");

	if (!chain || depth >= DEPTH_MAX)
		return FIREWALL_CONTINUE;
	return walk_chain(walk, chain, is_certain, depth + 1);
}

/* FIREWALL_CONTINUE: the next rule; FIREWALL_RETURN: this chain is left. */
static enum firewall_verdict apply(struct walk *walk, const struct firewall_chain *chain,
				   const struct firewall_rule *rule, bool is_certain,
				   unsigned int depth)
{
	enum firewall_verdict end;

	switch (rule->verdict) {
	case FIREWALL_ACCEPT:
		walk->may_be_accepted = true;
		return is_certain ? FIREWALL_ACCEPT : FIREWALL_CONTINUE;
	case FIREWALL_DROP:
		record(walk, chain, rule, FIREWALL_DROP, is_certain && !walk->may_be_accepted);
		return is_certain ? FIREWALL_DROP : FIREWALL_CONTINUE;
	case FIREWALL_RETURN:
		return is_certain ? FIREWALL_RETURN : FIREWALL_CONTINUE;
	case FIREWALL_JUMP:
	case FIREWALL_GOTO:
		end = walk_to(walk, chain, rule->target, is_certain, depth);
		if (end != FIREWALL_CONTINUE && end != FIREWALL_RETURN)
			return end;
		return rule->verdict == FIREWALL_GOTO && is_certain ? FIREWALL_RETURN
								    : FIREWALL_CONTINUE;
	case FIREWALL_DNAT:
	case FIREWALL_TAKE:
		record(walk, chain, rule, rule->verdict, is_certain);
		return is_certain ? FIREWALL_ACCEPT : FIREWALL_CONTINUE;
	case FIREWALL_NOTRACK:
		if (is_certain)
			walk->packet->ct_state = FIREWALL_CT_UNTRACKED;
		break;
	case FIREWALL_CONTINUE:
		break;
	}
	return FIREWALL_CONTINUE;
}

static enum firewall_verdict walk_chain(struct walk *walk, const struct firewall_chain *chain,
					bool is_certain, unsigned int depth)
{
	for (size_t i = 0; i < chain->rule_count; i++) {
		const struct firewall_rule *rule = &chain->rules[i];
		const enum truth truth = holds(rule, walk->packet);
		enum firewall_verdict end;

		if (truth == NO)
			continue;
		end = apply(walk, chain, rule, is_certain && truth == YES, depth);
		if (end != FIREWALL_CONTINUE)
			return end;
	}
	return FIREWALL_CONTINUE;
}

static bool is_met(const struct firewall_chain *chain, enum firewall_hook hook, bool is_nat,
		   const struct firewall_packet *packet)
{
	if (chain->hook != hook || chain->is_nat != is_nat)
		return false;
	if (hook == FIREWALL_INGRESS && *chain->device && strcmp(chain->device, packet->ifname))
		return false;
	return packet->is_v6 ? chain->has_v6 : chain->has_v4;
}

/* The next one in order of priority, behind the last one. */
static const struct firewall_chain *next_chain(const struct walk *walk, enum firewall_hook hook,
					       bool is_nat, const struct firewall_chain *last)
{
	const struct firewall_chain *next = NULL;
	bool is_behind = !last;

	for (size_t i = 0; i < walk->firewall->chain_count; i++) {
		const struct firewall_chain *chain = walk->firewall->chains[i];

		if (!is_met(chain, hook, is_nat, walk->packet))
			continue;
		if (chain == last)
			is_behind = true;
		else if ((!last || chain->priority > last->priority ||
			  (is_behind && chain->priority == last->priority)) &&
			 (!next || chain->priority < next->priority))
			next = chain;
	}
	return next;
}

void firewall_walk(const struct firewall *firewall, enum firewall_hook hook, bool is_nat,
		   struct firewall_packet *packet, struct firewall_fate *out)
{
	struct walk walk = {.firewall = firewall, .packet = packet, .fate = out};

	*out = (struct firewall_fate){.verdict = FIREWALL_ACCEPT};
	while ((walk.base = next_chain(&walk, hook, is_nat, walk.base))) {
		enum firewall_verdict end;

		walk.may_be_accepted = false;
		end = walk_chain(&walk, walk.base, true, 0);
		if (walk.base->drops && (end == FIREWALL_CONTINUE || end == FIREWALL_RETURN))
			record(&walk, walk.base, NULL, FIREWALL_DROP, !walk.may_be_accepted);
	}
}
