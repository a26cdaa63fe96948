/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A table of options, and a small function for each kind of argument. */
#include "option_rules.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "numbers.h"
#include "service.h"

#define KIB 1024

int option_fail(struct option_parse *parse, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(parse->error, OPTIONS_ERROR_SIZE, format, args);
	va_end(args);
	parse->err = -EINVAL;
	return EINVAL;
}

static int fail_memory(struct option_parse *parse)
{
	option_fail(parse, "out of memory");
	parse->err = -ENOMEM;
	return ENOMEM;
}

struct rule;
typedef int (*take_fn)(struct option_parse *parse, const struct rule *rule, const char *arg);

struct word {
	const char *text;
	int value;
};

/* How an option's argument becomes a field of struct loader_options. */
struct rule {
	int key;
	const char *name;
	take_fn take;
	size_t offset;
	uint64_t min, max; /* take_number() */
	const struct word *words; /* take_word(), ended by NULL */
};

static void *field(struct option_parse *parse, const struct rule *rule)
{
	return (char *)parse->options + rule->offset;
}

static int take_number(struct option_parse *parse, const struct rule *rule, const char *arg)
{
	uint64_t value;

	if (!number_parse(arg, rule->min, rule->max, &value))
		return option_fail(parse, "--%s: '%s': a number from %llu to %llu is needed",
				   rule->name, arg, (unsigned long long)rule->min,
				   (unsigned long long)rule->max);
	*(uint32_t *)field(parse, rule) = (uint32_t)value;
	return 0;
}

/* The words of a table, "auto, native, generic". */
static void list_words(const struct word *words, char *text, size_t size)
{
	size_t len = 0;

	for (; words->text && len < size; words++)
		len += (size_t)snprintf(text + len, size - len, "%s%s", len ? ", " : "",
					words->text);
}

static int take_word(struct option_parse *parse, const struct rule *rule, const char *arg)
{
	char list[64];

	for (const struct word *word = rule->words; word->text; word++) {
		if (strcmp(word->text, arg) == 0) {
			*(int *)field(parse, rule) = word->value;
			return 0;
		}
	}
	list_words(rule->words, list, sizeof(list));
	return option_fail(parse, "--%s: '%s': not one of %s", rule->name, arg, list);
}

static int take_flag(struct option_parse *parse, const struct rule *rule, const char *arg)
{
	(void)arg;
	*(bool *)field(parse, rule) = true;
	return 0;
}

static int take_path(struct option_parse *parse, const struct rule *rule, const char *arg)
{
	if (!*arg)
		return option_fail(parse, "--%s: a file name is needed, or -", rule->name);
	*(const char **)field(parse, rule) = arg;
	return 0;
}

static int take_file(struct option_parse *parse, const struct rule *rule, const char *arg)
{
	if (!*arg)
		return option_fail(parse, "--%s: a file name is needed", rule->name);
	*(const char **)field(parse, rule) = arg;
	return 0;
}

static int count_flag(struct option_parse *parse, const struct rule *rule, const char *arg)
{
	(void)arg;
	++*(unsigned int *)field(parse, rule);
	return 0;
}

/* Given again, it adds. */
static int take_ports(struct option_parse *parse, const struct rule *rule, const char *arg)
{
	const size_t words = sizeof(parse->options->config.ports.words) / sizeof(uint64_t);
	struct port_set set;
	const char *why;

	if (!port_set_parse(arg, &set, &why))
		return option_fail(parse, "--%s: '%s': %s", rule->name, arg, why);
	if (!parse->has_ports)
		memset(&parse->options->config.ports, 0, sizeof(parse->options->config.ports));
	parse->has_ports = true;
	for (size_t i = 0; i < words; i++)
		parse->options->config.ports.words[i] |= set.words[i];
	return 0;
}

static int add_prefix(struct option_parse *parse, const struct rule *rule, const char *text)
{
	struct config *config = &parse->options->config;
	struct prefix prefix, *grown;

	if (!prefix_parse(text, &prefix))
		return option_fail(parse,
				   "--%s: '%s': not an address, nor a prefix without host bits",
				   rule->name, text);
	grown = reallocarray(config->prefixes, config->prefix_count + 1, sizeof(*grown));
	if (!grown)
		return fail_memory(parse);
	config->prefixes = grown;
	grown[config->prefix_count++] = prefix;
	return 0;
}

static int take_prefixes(struct option_parse *parse, const struct rule *rule, const char *arg)
{
	char *copy = strdup(arg), *rest = copy, *text;
	int err = 0;

	if (!copy)
		return fail_memory(parse);
	while (!err && (text = strsep(&rest, ",")))
		err = add_prefix(parse, rule, text);
	free(copy);
	return err;
}

static int take_service(struct option_parse *parse, const struct rule *rule, const char *arg)
{
	const char *why;

	if (service_check(arg, &why))
		return option_fail(parse, "--%s: '%s': %s", rule->name, arg, why);
	parse->options->config.service = arg;
	return 0;
}

static int take_rst(struct option_parse *parse, const struct rule *rule, const char *arg)
{
	static const char redirect[] = "redirect:";
	struct config *config = &parse->options->config;

	config->redirect_ifname = NULL;
	if (strcmp(arg, "drop") == 0) {
		config->rst_action = NOL_RST_DROP;
	} else if (strcmp(arg, "pass") == 0) {
		config->rst_action = NOL_RST_PASS;
	} else if (strncmp(arg, redirect, sizeof(redirect) - 1) == 0 && arg[sizeof(redirect) - 1]) {
		config->rst_action = NOL_RST_REDIRECT;
		config->redirect_ifname = arg + sizeof(redirect) - 1;
	} else {
		return option_fail(parse, "--%s: '%s': not one of drop, redirect:IFACE, pass",
				   rule->name, arg);
	}
	return 0;
}

static int take_ring(struct option_parse *parse, const struct rule *rule, const char *arg)
{
	uint64_t kib;

	if (!number_parse(arg, rule->min, rule->max, &kib) || kib & (kib - 1))
		return option_fail(parse,
				   "--%s: '%s': KiB, a power of two from %llu to %llu, are needed",
				   rule->name, arg, (unsigned long long)rule->min,
				   (unsigned long long)rule->max);
	parse->options->config.ring_size = (uint32_t)kib * KIB;
	return 0;
}

#define METHOD_WORD(member, text) {text, NOL_METHOD_##member},
static const struct word method_words[] = {{"auto", NOL_METHOD_NONE},
					   NOL_METHODS(METHOD_WORD){NULL, 0}};
static const struct word xdp_words[] = {{"auto", KERN_XDP_AUTO},
					{"native", KERN_XDP_NATIVE},
					{"generic", KERN_XDP_GENERIC},
					{NULL, 0}};
static const struct word tc_words[] = {
	{"auto", KERN_TC_AUTO}, {"tcx", KERN_TC_TCX}, {"clsact", KERN_TC_CLSACT}, {NULL, 0}};

#define FIELD(name) .offset = offsetof(struct loader_options, name)

static const struct rule rules[] = {
	{'p', "port", take_ports},
	{'a', "address", take_prefixes},
	{'m', "method", take_word, FIELD(config.method), .words = method_words},
	{'s', "service", take_service},
	{KEY_RST, "rst", take_rst},
	{KEY_XDP, "xdp", take_word, FIELD(config.xdp_mode), .words = xdp_words},
	{KEY_TC, "tc", take_word, FIELD(config.tc_mode), .words = tc_words},
	{KEY_EVENTS, "events", take_path, FIELD(config.events_path)},
	{KEY_MAX_CHILDREN, "max-children", take_number, FIELD(config.max_children), 1, 65536},
	{KEY_MAX_FLOWS, "max-flows", take_number, FIELD(config.max_flows), 1, 4194304},
	{KEY_RING, "ring", take_ring, .min = 64, .max = 16384},
	{KEY_SPIN, "spin", take_number, FIELD(config.spin_us), 0, 1000000},
	{KEY_WORKERS, "workers", take_number, FIELD(config.workers), 1, NOL_WORKERS_MAX},
	{KEY_COOKIE_KEY, "cookie-key", take_file, FIELD(config.cookie_key_path)},
	{KEY_CHECK, "check", take_flag, FIELD(is_check)},
	{'j', "json", take_flag, FIELD(is_json)},
	{'q', "quiet", take_flag, FIELD(config.is_quiet)},
	{'v', "verbose", count_flag, FIELD(verbose)},
};

int option_take(struct option_parse *parse, int key, const char *arg)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (rules[i].key == key)
			return rules[i].take(parse, &rules[i], arg);
	return -1;
}
