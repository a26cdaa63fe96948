/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* LOCAL:PORT REMOTE:PORT [--crossed] [--timeout S] [-- COMMAND]. */
#include "meet_options.h"

#include <errno.h>
#include <getopt.h>
#include <stddef.h>
#include <string.h>

#include "log.h"
#include "numbers.h"

#define DEFAULT_TIMEOUT_S 30
#define MAX_TIMEOUT_S 86400

static const struct option option_table[] = {
	{"crossed", no_argument, NULL, 'c'},
	{"timeout", required_argument, NULL, 't'},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static int take_timeout(struct meet_options *options)
{
	if (number_parse(optarg, 1, MAX_TIMEOUT_S, &options->timeout_s))
		return 0;
	log_error("meet: --timeout: '%s': not a number of seconds from 1 to %d", optarg,
		  MAX_TIMEOUT_S);
	return -EINVAL;
}

static int take_option(struct meet_options *options, int key, const char *text)
{
	switch (key) {
	case 'c':
		options->is_crossed = true;
		return 0;
	case 't':
		return take_timeout(options);
	case 'h':
		options->is_help = true;
		return 0;
	case ':':
		log_error("meet: '%s': needs an argument", text);
		return -EINVAL;
	}
	log_error("meet: '%s': no such option (see nolisten meet --help)", text);
	return -EINVAL;
}

static int take_endpoint(struct endpoint *out, const char *text)
{
	if (!endpoint_parse(text, out)) {
		log_error("meet: '%s': not ADDR:PORT, as in 10.0.0.2:5000 or [fd00::2]:5000", text);
		return -EINVAL;
	}
	if (!addr_is_one_host(&out->addr)) {
		log_error("meet: '%s': not the address of one host", text);
		return -EINVAL;
	}
	return 0;
}

static int take_tuple(struct tuple *tuple, char **arguments)
{
	int err = take_endpoint(&tuple->local, arguments[0]);

	if (!err)
		err = take_endpoint(&tuple->remote, arguments[1]);
	if (err)
		return err;
	if (addr_is_v4(&tuple->local.addr) != addr_is_v4(&tuple->remote.addr)) {
		log_error("meet: one end is IPv4 and the other IPv6");
		return -EINVAL;
	}
	if (addr_is_equal(&tuple->local.addr, &tuple->remote.addr) &&
	    tuple->local.port == tuple->remote.port) {
		log_error("meet: both ends are the same: that is nolisten self");
		return -EINVAL;
	}
	return 0;
}

static int check_arguments(struct meet_options *options, int count, char **arguments)
{
	if (options->is_help)
		return 0;
	if (count != 2 || (options->command && !options->command[0])) {
		log_error(
			"usage: nolisten meet LOCAL:PORT REMOTE:PORT [--crossed] [--timeout S] [-- COMMAND]");
		return -EINVAL;
	}
	return take_tuple(&options->tuple, arguments);
}

/* What is behind "--" is the command's own: its options are not ours. Number of arguments in front of it. */
static int cut_command(int argc, char **argv, char ***command)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--"))
			continue;
		*command = argv + i + 1;
		return i;
	}
	return argc;
}

int meet_options_parse(struct meet_options *out, int argc, char **argv)
{
	int err = 0;
	int key;

	*out = (struct meet_options){.timeout_s = DEFAULT_TIMEOUT_S};
	argc = cut_command(argc, argv, &out->command);
	opterr = 0;
	optind = 0;
	while (!err && (key = getopt_long(argc, argv, ":ct:h", option_table, NULL)) != -1)
		err = take_option(out, key, argv[optind - 1]);
	return err ? err : check_arguments(out, argc - optind, argv + optind);
}
