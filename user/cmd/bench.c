/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* nolisten bench: its options. */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "commands.h"
#include "loader_path.h"
#include "log.h"
#include "measure.h"
#include "numbers.h"

enum {
	OPTION_QUICK = 0x100,
	OPTION_SLICE,
	OPTION_OUT,
	OPTION_ONLY,
	OPTION_METHODS,
	OPTION_PEER,
	OPTION_LOADER,
};

static const struct option option_table[] = {
	{"quick", no_argument, NULL, OPTION_QUICK},
	{"slice", required_argument, NULL, OPTION_SLICE},
	{"out", required_argument, NULL, OPTION_OUT},
	{"only", required_argument, NULL, OPTION_ONLY},
	{"methods", required_argument, NULL, OPTION_METHODS},
	{"peer", required_argument, NULL, OPTION_PEER},
	{"loader", required_argument, NULL, OPTION_LOADER},
	{"help", no_argument, NULL, '?'},
	{0},
};

static void print_help(void)
{
	printf("Usage: nolisten bench [OPTION...]\n"
	       "Ways to accept a TCP connection side by side, in network namespaces of their own.\n\n"
	       "      --quick            within 90 seconds\n"
	       "      --slice=MS         measure nothing longer than that at a time, %d to %d\n"
	       "      --only=LIST        these measures alone\n"
	       "      --methods=LIST     these contenders alone\n"
	       "      --peer=NAME:COMMAND  a program that answers TCP port %d joins them\n"
	       "      --out=DIR          write results.json and plots there\n"
	       "      --loader=PATH      another nolisten-loader\n"
	       "  -?, --help             print this help\n\nMeasures:\n",
	       PLAN_SLICE_MIN_MS, PLAN_SLICE_MAX_MS, TESTBED_PORT);
	for (const struct measure *measure = measure_table; measure->name; measure++)
		printf("  %-14s %s\n", measure->name, measure->title);
	printf("  %-14s hand-offs a second, by threads\n\nContenders:\n", HANDOFF_MEASURE);
	for (const struct contender *contender = contender_table; contender->name; contender++)
		printf("  %-14s %s\n", contender->name, contender->text);
}

/* The one that is asked for, or ours; without one of ours: options->loader is NULL and reason says why. */
static int find_loader(struct bench_options *options, char path[PATH_MAX],
		       char reason[LOADER_REASON_SIZE])
{
	if (options->loader && !loader_path_is_program(options->loader)) {
		log_error("bench: --loader: '%s': no program is there", options->loader);
		return -ENOENT;
	}
	if (!options->loader && !loader_path_find(path, reason))
		options->loader = path;
	options->no_loader = reason;
	return 0;
}

static int add_peer(struct bench_options *options, char *peer)
{
	char **grown = reallocarray(options->peers, options->peer_count + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	options->peers = grown;
	grown[options->peer_count++] = peer;
	return 0;
}

static int take_slice(struct bench_options *options)
{
	uint64_t ms;

	if (!number_parse(optarg, PLAN_SLICE_MIN_MS, PLAN_SLICE_MAX_MS, &ms)) {
		log_error("bench: --slice: '%s': a number from %d to %d", optarg, PLAN_SLICE_MIN_MS,
			  PLAN_SLICE_MAX_MS);
		return -ERANGE;
	}
	options->slice_ms = (uint32_t)ms;
	return 0;
}

static int take_option(struct bench_options *options, int option)
{
	switch (option) {
	case OPTION_QUICK:
		options->is_quick = true;
		return 0;
	case OPTION_SLICE:
		return take_slice(options);
	case OPTION_OUT:
		options->out_dir = optarg;
		return 0;
	case OPTION_ONLY:
		options->only = optarg;
		return 0;
	case OPTION_METHODS:
		options->methods = optarg;
		return 0;
	case OPTION_PEER:
		return add_peer(options, optarg);
	case OPTION_LOADER:
		options->loader = optarg;
		return 0;
	default:
		return -EINVAL;
	}
}

/* getopt says '?' for what it does not know, which is also -? by name. */
static bool is_help(char **argv, int option)
{
	const char *arg = argv[optind - 1];

	return option == '?' && !optopt && (!strcmp(arg, "--help") || !strcmp(arg, "--hel"));
}

static int parse(struct bench_options *options, int argc, char **argv, bool *wants_help)
{
	int option, err = 0;

	opterr = 0;
	optind = 1;
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], "-?") || !strcmp(argv[i], "-h"))
			return *wants_help = true, 0;
	while (!err && (option = getopt_long(argc, argv, "", option_table, NULL)) != -1) {
		if (is_help(argv, option))
			return *wants_help = true, 0;
		err = take_option(options, option);
		if (err == -EINVAL)
			log_error("bench: '%s': no such option, or it lacks its argument "
				  "(see nolisten bench --help)",
				  argv[optind - 1]);
	}
	if (!err && optind < argc) {
		log_error("bench: '%s': not understood (see nolisten bench --help)", argv[optind]);
		err = -EINVAL;
	}
	return err;
}

int bench_main(int argc, char **argv)
{
	struct bench_options options = {0};
	char path[PATH_MAX], reason[LOADER_REASON_SIZE];
	bool wants_help = false;
	int err = parse(&options, argc, argv, &wants_help);

	if (wants_help) {
		print_help();
		err = 0;
		goto out;
	}
	if (!err)
		err = find_loader(&options, path, reason);
	if (!err && geteuid()) {
		log_error("bench: needs root, for network namespaces and BPF");
		err = -EPERM;
	}
	if (!err)
		err = bench_run(&options);
out:
	free(options.peers);
	return err == -EINVAL || err == -ERANGE ? STATUS_USAGE : err ? STATUS_FAILED : STATUS_DONE;
}
