/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "relay_rules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

#define WORDS_MAX 6
#define MILLION 1000000

enum kind {
	KIND_SYN,
	KIND_SYNACK,
	KIND_ACK,
	KIND_DATA,
	KIND_FIN,
	KIND_OTHER,
	KIND_ANY,
	KINDS,
};
_Static_assert(KINDS == RELAY_KINDS, "a flow has a number for each");

const char *const relay_side_names[RELAY_SIDES] = {"client", "server"};
const char *const relay_verdict_names[RELAY_VERDICTS] = {"pass", "drop", "late", "dup", "swap"};
static const char *const kind_names[KINDS] = {"syn", "synack", "ack", "data",
					      "fin", "other",  "any"};

struct relay_flow *relay_flow_get(struct relay_rules *rules, uint16_t port)
{
	struct relay_flow *flow = rules->flows[port];

	if (flow)
		return flow;
	flow = calloc(1, sizeof(*flow));
	if (flow)
		flow->delay_us = rules->delay_us;
	rules->flows[port] = flow;
	return flow;
}

/* -EINVAL: it is none of them. */
static int find_name(const char *const *names, unsigned int count, const char *word)
{
	for (unsigned int i = 0; i < count; i++)
		if (!strcmp(names[i], word))
			return (int)i;
	log_error("relay: what is %s?", word);
	return -EINVAL;
}

static void read_numbers(struct relay_rule *rule, const char *word)
{
	const char *dash = strchr(word, '-');

	rule->first = *word == '*' ? 1 : (unsigned int)atoi(word);
	rule->last = *word == '*' ? UINT32_MAX : dash ? (unsigned int)atoi(dash + 1) : rule->first;
}

static int add_rule(struct relay_flow *flow, char *words[4])
{
	struct relay_rule *rule = &flow->rules[flow->rule_count];
	char *amount = strchr(words[3], '=');
	int side, kind, verdict;

	if (flow->rule_count == RELAY_RULES_MAX) {
		log_error("relay: too many rules");
		return -EINVAL;
	}
	if (amount)
		*amount++ = 0;
	side = find_name(relay_side_names, RELAY_SIDES, words[0]);
	kind = find_name(kind_names, KINDS, words[1]);
	verdict = find_name(relay_verdict_names, RELAY_VERDICTS, words[3]);
	if (side < 0 || kind < 0 || verdict < 0)
		return -EINVAL;
	*rule = (struct relay_rule){.side = (enum relay_side)side,
				    .kind = (unsigned int)kind,
				    .verdict = (enum relay_verdict)verdict,
				    .late_us = amount ? strtoull(amount, NULL, 10) : 0};
	read_numbers(rule, words[2]);
	flow->rule_count++;
	return 0;
}

static int obey(struct relay_rules *rules, char *words[], unsigned int count)
{
	const bool is_flow = count == 3 && !strcmp(words[0], "flow");
	const bool is_rule = count == WORDS_MAX && !strcmp(words[0], "rule");
	struct relay_flow *flow;

	if (!is_flow && !is_rule) {
		log_error("relay: not a command: %s", words[0]);
		return -EINVAL;
	}
	flow = relay_flow_get(rules, (uint16_t)atoi(words[1]));
	if (!flow)
		return -ENOMEM;
	if (is_rule)
		return add_rule(flow, words + 2);
	flow->delay_us = strtoull(words[2], NULL, 10);
	return 0;
}

int relay_command(struct relay_rules *rules, char *line)
{
	char *words[WORDS_MAX], *save, *word = strtok_r(line, " \n", &save);
	unsigned int count = 0;

	for (; word && count < WORDS_MAX; word = strtok_r(NULL, " \n", &save))
		words[count++] = word;
	return !count || *words[0] == '#' ? 0 : obey(rules, words, count);
}

static enum kind kind_of(const struct relay_segment *segment)
{
	const uint8_t flags = segment->flags & (RELAY_SYN | RELAY_FIN | RELAY_RST | RELAY_ACK);

	if (flags == RELAY_SYN)
		return KIND_SYN;
	if (flags == (RELAY_SYN | RELAY_ACK))
		return KIND_SYNACK;
	if (segment->payload_len && !(flags & (RELAY_SYN | RELAY_RST)))
		return KIND_DATA;
	if (flags == (RELAY_FIN | RELAY_ACK))
		return KIND_FIN;
	return flags == RELAY_ACK ? KIND_ACK : KIND_OTHER;
}

/* splitmix64 (Steele, Lea, Flood 2014): neighbours in, strangers out. */
static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

static bool is_lost(const struct relay_loss *loss, uint16_t port, enum relay_side side,
		    enum kind kind, unsigned int number)
{
	const uint64_t packet =
		(uint64_t)port << 40 | (uint64_t)side << 36 | (uint64_t)kind << 32 | number;

	return port >= loss->first_port &&
	       mix(mix(loss->seed) ^ packet) % MILLION < loss->per_million;
}

enum relay_verdict relay_judge(const struct relay_rules *rules, uint16_t port, enum relay_side side,
			       const struct relay_segment *segment, uint64_t *late_us)
{
	struct relay_flow *flow = rules->flows[port];
	const enum kind kind = kind_of(segment);

	flow->seen[side][kind]++;
	flow->seen[side][KIND_ANY]++;
	for (unsigned int i = 0; i < flow->rule_count; i++) {
		const struct relay_rule *rule = &flow->rules[i];
		const unsigned int number = flow->seen[side][rule->kind];

		if (rule->side != side || (rule->kind != kind && rule->kind != KIND_ANY) ||
		    number < rule->first || number > rule->last)
			continue;
		*late_us = rule->late_us;
		return rule->verdict;
	}
	return is_lost(&rules->loss, port, side, kind, flow->seen[side][kind]) ? RELAY_DROP
									       : RELAY_PASS;
}
