/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What iptables-save prints, as far as it tells of TCP segments. What is not understood may hold or not. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firewall.h"
#include "numbers.h"

#define WORDS_MAX 256

struct parse {
	struct firewall *firewall;
	const char *tool, *family;
	char table[FIREWALL_NAME_SIZE];
};

/* The words of a line; what is in quotes is one. */
static int split(char *line, char *words[WORDS_MAX])
{
	int count = 0;

	while (count < WORDS_MAX - 1) {
		line += strspn(line, " ");
		if (!*line)
			break;
		if (*line == '"') {
			words[count++] = ++line;
			while (*line && *line != '"')
				line += 1 + (*line == '\\' && line[1]);
		} else {
			words[count++] = line;
			line += strcspn(line, " ");
		}
		if (*line)
			*line++ = '\0';
	}
	words[count] = NULL;
	return count;
}

static void drop_chain(struct firewall_chain *chain)
{
	for (size_t i = 0; i < chain->rule_count; i++)
		firewall_rule_free(&chain->rules[i]);
	chain->rule_count = 0;
	chain->hook = FIREWALL_OTHER_HOOK;
}

/* iptables tells its own tables better than nft does. */
static void begin_table(struct parse *parse, const char *name)
{
	snprintf(parse->table, sizeof(parse->table), "%s", name);
	for (size_t i = 0; i < parse->firewall->chain_count; i++) {
		struct firewall_chain *chain = parse->firewall->chains[i];

		if (!strcmp(chain->tool, "nft") && !strcmp(chain->table, name) &&
		    !strcmp(chain->family, parse->family) && !strstr(parse->tool, "legacy"))
			drop_chain(chain);
	}
}

static int priority_of(const char *table)
{
	return !strcmp(table, "raw")	    ? -300
	       : !strcmp(table, "mangle")   ? -150
	       : !strcmp(table, "nat")	    ? -100
	       : !strcmp(table, "security") ? 50
					    : 0;
}

static enum firewall_hook hook_of(const char *name)
{
	return !strcmp(name, "PREROUTING")    ? FIREWALL_PREROUTING
	       : !strcmp(name, "INPUT")	      ? FIREWALL_INPUT
	       : !strcmp(name, "OUTPUT")      ? FIREWALL_OUTPUT
	       : !strcmp(name, "POSTROUTING") ? FIREWALL_POSTROUTING
	       : !strcmp(name, "FORWARD")     ? FIREWALL_OTHER_HOOK
					      : FIREWALL_NO_HOOK;
}

/* ":INPUT DROP [0:0]" */
static int add_chain(struct parse *parse, char *line)
{
	char *words[WORDS_MAX];
	struct firewall_chain *chain;

	if (split(line + 1, words) < 2)
		return 0;
	chain = firewall_add_chain(parse->firewall, parse->tool, parse->family, parse->table,
				   words[0]);
	if (!chain)
		return -ENOMEM;
	chain->hook = strcmp(words[1], "-") ? hook_of(words[0]) : FIREWALL_NO_HOOK;
	chain->priority = priority_of(parse->table);
	chain->is_nat = !strcmp(parse->table, "nat");
	chain->drops = !strcmp(words[1], "DROP");
	return 0;
}

/* "80", "8000:8999" and lists of them. */
static bool read_ports(struct firewall_match *match, char *text)
{
	for (char *one; (one = strsep(&text, ","));) {
		char *to = strchr(one, ':');
		uint64_t first = 0, last = UINT16_MAX;

		if (to)
			*to++ = '\0';
		if ((*one && !number_parse(one, 0, UINT16_MAX, &first)) ||
		    (to && *to && !number_parse(to, 0, UINT16_MAX, &last)))
			return false;
		if (firewall_add_number(match, (uint32_t)first, (uint32_t)(to ? last : first)))
			return false;
	}
	return true;
}

static bool read_addresses(struct firewall_match *match, char *text)
{
	char *slash;
	struct prefix prefix = {.bits = 128};
	uint64_t bits;

	slash = strchr(text, '/');
	if (slash)
		*slash++ = '\0';
	if (!addr_parse(text, &prefix.addr))
		return false;
	if (slash) {
		if (!number_parse(slash, 0, 128, &bits))
			return false;
		prefix.bits = (uint8_t)(bits + (addr_is_v4(&prefix.addr) ? 96 : 0));
	}
	return prefix.bits <= 128 && !firewall_add_prefix(match, &prefix);
}

static bool read_bits(char *text, uint32_t (*bit_of)(const char *name, size_t len), uint32_t *out)
{
	*out = 0;
	for (char *one; (one = strsep(&text, ","));) {
		const uint32_t bit = bit_of(one, strlen(one));

		if (!bit && strcasecmp(one, "none"))
			return false;
		*out |= bit;
	}
	return true;
}

static bool read_name(struct firewall_match *match, const char *name)
{
	struct firewall_value *value = firewall_add_value(match);
	size_t len;

	if (!value)
		return false;
	len = (size_t)snprintf(value->name, sizeof(value->name), "%s", name);
	if (len && len < sizeof(value->name) && name[len - 1] == '+')
		value->name[len - 1] = '*';
	return true;
}

static bool read_mark(struct firewall_match *match, char *text)
{
	char *end;

	match->mask = ~0u;
	const unsigned long number = strtoul(text, &end, 0);

	if (*end == '/')
		match->mask = (uint32_t)strtoul(end + 1, &end, 0);
	return !*end && !firewall_add_number(match, (uint32_t)number, (uint32_t)number);
}

struct option {
	const char *name;
	enum firewall_key key;
	int words; /* that follow */
};

static const struct option option_table[] = {
	{"-p", FIREWALL_PROTOCOL, 1},	   {"-i", FIREWALL_IIF, 1},
	{"-o", FIREWALL_OIF, 1},	   {"-s", FIREWALL_SADDR, 1},
	{"-d", FIREWALL_DADDR, 1},	   {"--dport", FIREWALL_DPORT, 1},
	{"--dports", FIREWALL_DPORT, 1},   {"--sport", FIREWALL_SPORT, 1},
	{"--sports", FIREWALL_SPORT, 1},   {"--ctstate", FIREWALL_CT_STATE, 1},
	{"--state", FIREWALL_CT_STATE, 1}, {"--tcp-flags", FIREWALL_TCP_FLAGS, 2},
	{"--mark", FIREWALL_MARK, 1},	   {"--dst-type", FIREWALL_LOCAL, 1},
	{NULL, FIREWALL_UNKNOWN, 0},
};

static bool read_protocol(struct firewall_match *match, const char *text)
{
	const bool is_tcp = !strcmp(text, "tcp") || !strcmp(text, "6");
	const uint32_t number = is_tcp ? IPPROTO_TCP : IPPROTO_MAX;

	return !firewall_add_number(match, strcmp(text, "all") ? number : 0,
				    strcmp(text, "all") ? number : IPPROTO_MAX);
}

/* False: not understood. words[0] is the option's name. */
static bool read_option(struct firewall_match *match, char *words[])
{
	uint32_t bits;

	switch (match->key) {
	case FIREWALL_PROTOCOL:
		return read_protocol(match, words[1]);
	case FIREWALL_IIF:
	case FIREWALL_OIF:
		return read_name(match, words[1]);
	case FIREWALL_SADDR:
	case FIREWALL_DADDR:
		return read_addresses(match, words[1]);
	case FIREWALL_SPORT:
	case FIREWALL_DPORT:
		return read_ports(match, words[1]);
	case FIREWALL_MARK:
		return read_mark(match, words[1]);
	case FIREWALL_LOCAL:
		return !strcmp(words[1], "LOCAL");
	case FIREWALL_CT_STATE:
		match->has_any_bit = true;
		return read_bits(words[1], firewall_ct_state, &bits) &&
		       !firewall_add_number(match, bits, bits);
	case FIREWALL_TCP_FLAGS:
		return read_bits(words[1], firewall_tcp_flag, &match->mask) &&
		       read_bits(words[2], firewall_tcp_flag, &bits) &&
		       !firewall_add_number(match, bits, bits);
	default:
		return false;
	}
}

static const struct option *find_option(const char *name)
{
	const struct option *option = option_table;

	while (option->name && strcmp(option->name, name))
		option++;
	return option;
}

/* Modules that ask by options of the table alone, or not at all. */
static bool is_known_module(const char *name)
{
	static const char *const names[] = {"tcp",	"conntrack", "state", "multiport",
					    "addrtype", "comment",   "mark",  NULL};

	for (const char *const *one = names; *one; one++)
		if (!strcmp(*one, name))
			return true;
	return false;
}

static char *find_word(char *words[], const char *name)
{
	for (; words[0]; words++)
		if (!strcmp(words[0], name))
			return words[1];
	return NULL;
}

/* words: behind -j. */
static void read_target(struct firewall_rule *rule, char *words[], bool is_goto)
{
	static const struct {
		const char *name;
		enum firewall_verdict verdict;
	} targets[] = {
		{"ACCEPT", FIREWALL_ACCEPT},   {"DROP", FIREWALL_DROP},
		{"REJECT", FIREWALL_DROP},     {"RETURN", FIREWALL_RETURN},
		{"DNAT", FIREWALL_DNAT},       {"REDIRECT", FIREWALL_DNAT},
		{"NOTRACK", FIREWALL_NOTRACK}, {"TPROXY", FIREWALL_TAKE},
		{"SYNPROXY", FIREWALL_TAKE},   {"NFQUEUE", FIREWALL_TAKE},
	};
	const char *to = find_word(words, "--to-destination") ?: find_word(words, "--to-ports");

	rule->verdict = is_goto ? FIREWALL_GOTO : FIREWALL_JUMP;
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++)
		if (!strcmp(targets[i].name, words[0]))
			rule->verdict = targets[i].verdict;
	if (!strcmp(words[0], "CT") && find_word(words, "--notrack") != words[0])
		for (char **word = words; *word; word++)
			if (!strcmp(*word, "--notrack"))
				rule->verdict = FIREWALL_NOTRACK;
	rule->target = strdup(rule->verdict == FIREWALL_DNAT && to ? to : words[0]);
}

static bool add_unknown(struct firewall_rule *rule)
{
	return firewall_add_match(rule, FIREWALL_UNKNOWN);
}

/* One option; the number of words that it took, or -ENOMEM. */
static int read_word(struct firewall_rule *rule, char *words[], bool is_inverted)
{
	const struct option *option = find_option(words[0]);
	struct firewall_match *match;

	if (!strcmp(words[0], "-m") && words[1])
		return is_known_module(words[1]) || add_unknown(rule) ? 2 : -ENOMEM;
	if (!strcmp(words[0], "--comment") && words[1])
		return 2;
	if (!option->name)
		return add_unknown(rule) ? 1 : -ENOMEM;
	for (int i = 1; i <= option->words; i++)
		if (!words[i])
			return add_unknown(rule) ? i : -ENOMEM;
	match = firewall_add_match(rule, option->key);
	if (!match)
		return -ENOMEM;
	match->is_inverted = is_inverted;
	if (!read_option(match, words)) {
		free(match->values);
		*match = (struct firewall_match){.key = FIREWALL_UNKNOWN};
	}
	return 1 + option->words;
}

/* "-A INPUT -p tcp ... -j DROP" */
static int add_rule(struct parse *parse, char *line)
{
	struct firewall_rule rule = {.text = strdup(line)};
	char *words[WORDS_MAX];
	const int count = split(line, words);
	struct firewall_chain *chain =
		count < 2 ? NULL
			  : firewall_find_chain(parse->firewall, parse->tool, parse->family,
						parse->table, words[1]);
	int at = 2, taken;

	while (chain && at < count) {
		const bool is_inverted = !strcmp(words[at], "!") && at + 1 < count;
		const bool is_goto = !strcmp(words[at], "-g");

		at += is_inverted;
		if ((is_goto || !strcmp(words[at], "-j")) && words[at + 1]) {
			read_target(&rule, &words[at + 1], is_goto);
			break;
		}
		taken = read_word(&rule, &words[at], is_inverted);
		if (taken < 0) {
			firewall_rule_free(&rule);
			return taken;
		}
		at += taken;
	}
	if (chain)
		return firewall_add_rule(chain, &rule);
	firewall_rule_free(&rule);
	return 0;
}

int firewall_add_iptables(struct firewall *firewall, const char *tool, bool is_v6, char *text)
{
	struct parse parse = {.firewall = firewall, .tool = tool, .family = is_v6 ? "ip6" : "ip"};
	static const char *const words[] = {"--ctstate ",    "--state ",    "-j DNAT", "-j SNAT",
					    "-j MASQUERADE", "-j REDIRECT", NULL};
	int err = 0;

	for (const char *const *word = words; *word; word++)
		firewall->tracks |= strstr(text, *word) != NULL;
	for (char *line; !err && (line = strsep(&text, "\n"));) {
		if (*line == '*')
			begin_table(&parse, line + 1);
		else if (*line == ':')
			err = add_chain(&parse, line);
		else if (!strncmp(line, "-A ", 3))
			err = add_rule(&parse, line);
	}
	return err;
}
