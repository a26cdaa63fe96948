/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* nolisten self: a socket that connects to itself, on purpose or by accident. */
#include <stdbool.h>

#include "commands.h"
#include "self_connect.h"
#include "self_warn.h"

#define DEFAULT_MESSAGE "hello, self"

struct self_options {
	struct endpoint endpoint; /* its port is 0: not given */
	bool has_addr;
	const char *message; /* NULL: not given */
	bool is_watch, is_everywhere;
};

static int take_addr(struct option_parse *parse, const struct option_row *row, const char *arg)
{
	struct addr *addr = option_field(parse, row);

	if (!addr_parse(arg, addr))
		return option_refuse(parse, arg, "not an IPv4 or IPv6 address");
	if (!addr_is_one_host(addr))
		return option_refuse(parse, arg, "not the address of one host");
	((struct self_options *)parse->options)->has_addr = true;
	return 0;
}

static int check(struct option_parse *parse)
{
	struct self_options *options = parse->options;

	if (options->is_watch ? options->has_addr || options->message
			      : !options->endpoint.port || options->is_everywhere)
		return option_fail_usage(parse, "");
	if (!options->message)
		options->message = DEFAULT_MESSAGE;
	return 0;
}

static int run(void *context)
{
	const struct self_options *options = context;
	const int err = options->is_watch ? self_warn(options->is_everywhere)
					  : self_connect(&options->endpoint, options->message);

	return err ? STATUS_FAILED : STATUS_DONE;
}

#define FIELD(member) OPTION_FIELD(self_options, member)

static const struct option_row options[] = {
	{"message", 'm', "TEXT", "what to send [" DEFAULT_MESSAGE "]", option_take_text,
	 FIELD(message)},
	{"watch", 'w', NULL, "tell of every socket that connects to itself (root)",
	 option_take_flag, FIELD(is_watch)},
	{"all", 'a', NULL, "with --watch: in every network namespace", option_take_flag,
	 FIELD(is_everywhere)},
	OPTION_HELP,
	{0},
};

static const struct option_row arguments[] = {
	{.arg = "ADDR", .take = take_addr, FIELD(endpoint.addr)},
	{.arg = "PORT", .take = option_take_number, FIELD(endpoint.port), 1, UINT16_MAX},
	{0},
};

const struct command self_command = {
	.program = "nolisten",
	.name = "self",
	.usages = {"ADDR PORT [--message=TEXT]", "--watch [--all]"},
	.summary = "a socket connects to itself (--watch: by accident)",
	.purpose = "Connect a socket to itself and send it a message.",
	.options = options,
	.arguments = arguments,
	.size = sizeof(struct self_options),
	.check = check,
	.run = run,
};
