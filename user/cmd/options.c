/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The command line of nolisten-loader. argp finds the options and prints the help; option_rules.c reads the
 * arguments. argp's own errors are two lines long, so find_mistake() words them instead.
 */
#include "options.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "events.h"
#include "method.h"
#include "option_rules.h"
#include "service.h"
#include "version.h"

#define DEFAULT_PORT 34567

#define METHOD_ITEM(member, text) ", " text
static const struct argp_option option_table[] = {
	{"port", 'p', "LIST", 0, "TCP ports to answer: 80,443,8000-8999 or all [34567]", 1},
	{"address", 'a', "LIST", 0,
	 "local addresses or prefixes to answer, IPv4 and IPv6 [the interface's own]", 2},
	{"method", 'm', "METHOD", 0,
	 "who answers the SYN: auto" NOL_METHODS(
		 METHOD_ITEM) " "
			      "[auto: XDP plain ones, the engine the others]",
	 3},
	{"service", 's', "WHAT", 0, "what a connection gets, see below [echo]", 4},
	{"rst", KEY_RST, "WHAT", 0,
	 "the kernel's RSTs of our flows: drop, redirect:IFACE, pass [drop]", 5},
	{"xdp", KEY_XDP, "MODE", 0, "auto, native, generic [auto: native, generic on veth and lo]",
	 6},
	{"tc", KEY_TC, "MODE", 0, "auto, tcx, clsact [auto: tcx where the kernel has it]", 7},
	{"events", KEY_EVENTS, "FILE", 0, "append JSON lines; - is standard output", 8},
	{"max-children", KEY_MAX_CHILDREN, "N", 0, "processes of exec: at a time [64]", 9},
	{"max-flows", KEY_MAX_FLOWS, "N", 0, "flows known at a time [65536]", 10},
	{"ring", KEY_RING, "KIB", 0, "ring buffer of held packets [256]", 11},
	{"spin", KEY_SPIN, "US", 0, "poll so long after a packet before sleeping [50]", 12},
	{"workers", KEY_WORKERS, "N", 0, "threads, each with a ring and a share of the flows [1]",
	 13},
	{"cookie-key", KEY_COOKIE_KEY, "FILE", 0,
	 "key of the SYN cookies, for several machines behind one address [random]", 14},
	{"check", KEY_CHECK, NULL, 0, "can this host run it? load everything, say what is missing",
	 15},
	{"json", 'j', NULL, 0, "with --check: JSON on standard output", 16},
	{"quiet", 'q', NULL, 0, "no line for each event", 17},
	{"verbose", 'v', NULL, 0, "more messages; twice: libbpf's too", 18},
	{"version", 'V', NULL, 0, "print the version", 19},
	{"help", '?', NULL, 0, "print this help", 20},
	{0},
};

static int take_ifname(struct option_parse *parse, const char *arg)
{
	if (parse->options->config.ifname)
		return option_fail(parse, "'%s': one interface only, and that is '%s'", arg,
				   parse->options->config.ifname);
	parse->options->config.ifname = arg;
	return 0;
}

/* Can several workers do it? Those without BPF have one queue, and connect's sockets are one thread's. */
static bool can_share(enum nol_method method)
{
	return method_needs_bpf(method) && method != NOL_METHOD_CONNECT;
}

/* What only goes together. */
static int finish(struct option_parse *parse)
{
	const struct loader_options *options = parse->options;
	const struct config *config = &options->config;

	if (!config->ifname && !options->is_check)
		return option_fail(parse,
				   "which interface? usage: nolisten-loader [OPTION...] IFACE");
	if (options->is_json && !options->is_check)
		return option_fail(parse, "--json: goes with --check; --events=FILE is JSON too");
	if (config->rst_action != NOL_RST_DROP && !method_needs_bpf(config->method))
		return option_fail(parse, "--rst: method %s has no guard: use auto or engine",
				   method_text(config->method));
	if (config->workers > 1 && !can_share(config->method))
		return option_fail(parse,
				   "--workers: method %s has one only: use auto, xdp or engine",
				   method_text(config->method));
	return 0;
}

static const struct argp_option *find_short(int key)
{
	for (const struct argp_option *option = option_table; option->name; option++)
		if (option->key == key)
			return option;
	return NULL;
}

/* By its whole name, or by a beginning that no other has; *is_ambiguous: several have it. */
static const struct argp_option *find_long(const char *name, size_t len, bool *is_ambiguous)
{
	const struct argp_option *found = NULL;

	*is_ambiguous = false;
	for (const struct argp_option *option = option_table; option->name; option++) {
		if (strncmp(option->name, name, len))
			continue;
		if (!option->name[len]) {
			*is_ambiguous = false;
			return option;
		}
		*is_ambiguous = found;
		found = option;
	}
	return found;
}

static bool find_long_mistake(struct option_parse *parse, const char *arg)
{
	const size_t len = strcspn(arg, "=");
	bool is_ambiguous;
	const struct argp_option *option = find_long(arg, len, &is_ambiguous);

	if (!option)
		return option_fail(parse, "--%.*s: no such option (see --help)", (int)len, arg);
	if (is_ambiguous)
		return option_fail(parse, "--%.*s: which option? several start so", (int)len, arg);
	if (arg[len] && !option->arg)
		return option_fail(parse, "--%s: takes no argument", option->name);
	if (!arg[len] && option->arg)
		return option_fail(parse, "--%s: needs an argument, %s", option->name, option->arg);
	return false;
}

static bool find_short_mistake(struct option_parse *parse, const char *letters)
{
	for (; *letters; letters++) {
		const struct argp_option *option = find_short((unsigned char)*letters);

		if (!option)
			return option_fail(parse, "-%c: no such option (see --help)", *letters);
		if (option->arg && !letters[1])
			return option_fail(parse, "-%c: needs an argument, %s", *letters,
					   option->arg);
		if (option->arg)
			return false;
	}
	return false;
}

/* What does argp not like in this argument? */
static bool find_mistake(struct option_parse *parse, const char *arg)
{
	if (!arg || arg[0] != '-')
		return false;
	return arg[1] == '-' ? find_long_mistake(parse, arg + 2)
			     : find_short_mistake(parse, arg + 1);
}

/* next is behind the argument, or still there while letters of it are left. */
static error_t explain(struct option_parse *parse, const struct argp_state *state)
{
	const char *arg = state->argv[state->next - 1];

	if (parse->err || find_mistake(parse, arg) || find_mistake(parse, state->argv[state->next]))
		return EINVAL;
	return option_fail(parse, "'%s': not understood (see --help)", arg);
}

static void print_help(void)
{
	struct argp argp = {.options = option_table, .args_doc = "IFACE"};
	char *doc;

	/* That options' arguments are the same in both forms is seen; a help_filter is not asked outside of a parse. */
	setenv("ARGP_HELP_FMT", "no-dup-args-note", 0);
	if (asprintf(&doc, "Answer TCP connections on IFACE without a listening socket.\v%s%s",
		     "Services:\n", service_help()) < 0)
		return;
	argp.doc = doc;
	argp_help(&argp, stdout, ARGP_HELP_SHORT_USAGE | ARGP_HELP_LONG | ARGP_HELP_DOC,
		  "nolisten-loader");
	free(doc);
}

static error_t take_key(int key, char *arg, struct argp_state *state)
{
	struct option_parse *parse = state->input;
	int err;

	switch (key) {
	case '?':
		print_help();
		exit(EXIT_SUCCESS);
	case 'V':
		printf("nolisten-loader %s\n", NOLISTEN_VERSION);
		exit(EXIT_SUCCESS);
	case ARGP_KEY_ARG:
		return take_ifname(parse, arg);
	case ARGP_KEY_END:
		return finish(parse);
	case ARGP_KEY_ERROR:
		return explain(parse, state);
	default:
		err = option_take(parse, key, arg);
		return err < 0 ? ARGP_ERR_UNKNOWN : err;
	}
}

int options_parse(struct loader_options *out, int argc, char **argv, char error[OPTIONS_ERROR_SIZE])
{
	const struct argp argp = {.options = option_table, .parser = take_key};
	struct option_parse parse = {.options = out, .error = error};
	int err;

	*out = (struct loader_options){
		.config = {.service = "echo",
			   .max_children = 64,
			   .max_flows = 65536,
			   .ring_size = 256 * 1024,
			   .spin_us = 50,
			   .workers = 1},
	};
	port_set_add(&out->config.ports, DEFAULT_PORT);
	error[0] = '\0';
	err = argp_parse(&argp, argc, argv, ARGP_NO_ERRS | ARGP_NO_HELP | ARGP_NO_EXIT, NULL,
			 &parse);
	if (err && !parse.err)
		option_fail(&parse, "cannot read the command line: %s", strerror(err));
	return parse.err;
}

void options_free(struct loader_options *options)
{
	free(options->config.prefixes);
	options->config.prefixes = NULL;
	options->config.prefix_count = 0;
}
