/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A command line of nolisten-loader: the input's lines are its arguments. Whatever they are, the parser ends with options
 * that are within their bounds, or with a line that says what is wrong.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "loader.h"
#include "loader_options.h"

#define MAX_ARGUMENTS 32

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* --help and --completion print there. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	check(freopen("/dev/null", "w", stdout));
	return 0;
}

static void check_options(const struct loader_options *options)
{
	const struct config *config = &options->config;

	check(port_set_count(&config->ports) > 0);
	check(config->workers >= 1 && config->workers <= NOL_WORKERS_MAX);
	check(config->max_flows >= 1 && config->max_children >= 1);
	check(config->ring_size >= 64 << 10 && !(config->ring_size & (config->ring_size - 1)));
	check(config->spin_us <= 1000000 && config->service);
	check(options->is_check || options->settings.is_printed || config->ifname);
	for (size_t i = 0; i < config->prefix_count; i++)
		check(config->prefixes[i].bits <= 128);
}

/* Each line a string of its own block, so that a read past its end is seen. */
static size_t split(const uint8_t *data, size_t len, char *argv[MAX_ARGUMENTS + 2])
{
	size_t count = 0;

	argv[count++] = strdup("nolisten-loader");
	while (len && count <= MAX_ARGUMENTS) {
		const uint8_t *end = memchr(data, '\n', len);
		const size_t line = end ? (size_t)(end - data) : len;

		argv[count++] = strndup((const char *)data, line);
		data += line + !!end;
		len -= line + !!end;
	}
	argv[count] = NULL;
	return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct loader_options options;
	char *argv[MAX_ARGUMENTS + 2], *given[MAX_ARGUMENTS + 2], error[OPTION_ERROR_SIZE];
	size_t count = split(data, len, argv);
	int err;

	/* The parser changes the order, and the strings are ours to free. */
	memcpy(given, argv, sizeof(given));
	err = command_parse(&loader_command, &options, given, error);
	check(memchr(error, '\0', sizeof(error)));
	check(err == 0 || err == OPTION_DONE || err == -EINVAL);
	check((err == -EINVAL) == (error[0] != '\0'));
	if (!err)
		check_options(&options);
	loader_command.release(&options);
	for (size_t i = 0; i < count; i++)
		free(argv[i]);
	return 0;
}
