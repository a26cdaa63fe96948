/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* ADDR PORT [--message TEXT], or --watch [--all]. */
#include "self_options.h"

#include <errno.h>
#include <getopt.h>
#include <stddef.h>

#include "log.h"
#include "numbers.h"

#define DEFAULT_MESSAGE "hello, self"

static const struct option option_table[] = {
	{"message", required_argument, NULL, 'm'},
	{"watch", no_argument, NULL, 'w'},
	{"all", no_argument, NULL, 'a'},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static int parse_endpoint(struct endpoint *out, const char *addr, const char *port)
{
	uint64_t number;

	if (!addr_parse(addr, &out->addr)) {
		log_error("self: '%s': not an IPv4 or IPv6 address", addr);
		return -EINVAL;
	}
	if (!addr_is_one_host(&out->addr)) {
		log_error("self: '%s': not the address of one host", addr);
		return -EINVAL;
	}
	if (!number_parse(port, 1, UINT16_MAX, &number)) {
		log_error("self: '%s': not a port from 1 to 65535", port);
		return -EINVAL;
	}
	out->port = (uint16_t)number;
	return 0;
}

static int take_option(struct self_options *options, int key, const char *text)
{
	switch (key) {
	case 'm':
		options->message = optarg;
		return 0;
	case 'w':
		options->is_watch = true;
		return 0;
	case 'a':
		options->is_everywhere = true;
		return 0;
	case 'h':
		options->is_help = true;
		return 0;
	case ':':
		log_error("self: '%s': needs an argument", text);
		return -EINVAL;
	}
	log_error("self: '%s': no such option (see nolisten self --help)", text);
	return -EINVAL;
}

static int check_arguments(struct self_options *options, int count, char **arguments)
{
	if (options->is_help)
		return 0;
	if (options->is_watch ? count || options->message : count != 2 || options->is_everywhere) {
		log_error(
			"usage: nolisten self ADDR PORT [--message TEXT], or nolisten self --watch [--all]");
		return -EINVAL;
	}
	if (!options->message)
		options->message = DEFAULT_MESSAGE;
	return options->is_watch ? 0
				 : parse_endpoint(&options->endpoint, arguments[0], arguments[1]);
}

int self_options_parse(struct self_options *out, int argc, char **argv)
{
	int err = 0;
	int key;

	*out = (struct self_options){0};
	opterr = 0;
	optind = 0;
	while (!err && (key = getopt_long(argc, argv, ":m:wah", option_table, NULL)) != -1)
		err = take_option(out, key, argv[optind - 1]);
	return err ? err : check_arguments(out, argc - optind, argv + optind);
}
