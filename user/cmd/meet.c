/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* nolisten meet: two hosts connect() to each other, and neither listens (RFC 9293, 3.5). */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "join.h"
#include "log.h"
#include "meet_command.h"
#include "meet_open.h"
#include "meet_reason.h"
#include "meet_socket.h"

struct meet_command_line {
	struct meet_options meet; /* ports are 0: not given */
	char **command; /* NULL: standard input and output; points into argv */
};

static int take_endpoint(struct option_parse *parse, const struct option_row *row, const char *arg)
{
	struct endpoint *endpoint = option_field(parse, row);

	if (!endpoint_parse(arg, endpoint))
		return option_refuse(parse, arg,
				     "not ADDR:PORT, as in 10.0.0.2:5000 or [fd00::2]:5000");
	if (!addr_is_one_host(&endpoint->addr))
		return option_refuse(parse, arg, "not the address of one host");
	return 0;
}

static int check(struct option_parse *parse)
{
	struct meet_command_line *line = parse->options;
	const struct endpoint *local = &line->meet.tuple.local, *remote = &line->meet.tuple.remote;

	line->command = parse->rest;
	if (!remote->port || (line->command && !line->command[0]))
		return option_fail_usage(parse, "");
	if (addr_is_v4(&local->addr) != addr_is_v4(&remote->addr))
		return option_fail(parse, "one end is IPv4 and the other IPv6");
	if (addr_is_equal(&local->addr, &remote->addr) && local->port == remote->port)
		return option_fail(parse, "both ends are the same: that is nolisten self");
	return 0;
}

/* They were blocked for the loop; from here on Ctrl-C ends us as it ends anybody. */
static void restore_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static int use_connection(const struct meet_command_line *line, int fd)
{
	int err;

	meet_socket_settle(fd);
	if (line->command) {
		err = meet_command_exec(line->command, fd, &line->meet.tuple);
		log_error("meet: cannot run '%s': %s", line->command[0], strerror(-err));
		return err;
	}
	err = join_socket(fd, false);
	if (err)
		log_error("meet: the connection ended: %s", strerror(-err));
	return err;
}

static int run(void *context)
{
	const struct meet_command_line *line = context;
	struct meet_result result;
	int err = meet_open(&line->meet, &result);

	restore_signals();
	if (err) {
		meet_tell_failure(&line->meet, &result, err);
		return STATUS_FAILED;
	}
	meet_tell_success(&line->meet, &result);
	err = use_connection(line, result.fd);
	close(result.fd);
	return err ? STATUS_FAILED : STATUS_DONE;
}

#define FIELD(member) OPTION_FIELD(meet_command_line, member)

static const struct option_row options[] = {
	{"crossed", 'c', NULL, "let both SYNs truly cross", option_take_flag,
	 FIELD(meet.is_crossed)},
	{"timeout", 't', "S", "give up after so many seconds, %s [30]", option_take_number,
	 FIELD(meet.timeout_s), 1, 86400},
	OPTION_HELP,
	{0},
};

static const struct option_row arguments[] = {
	{.arg = "LOCAL:PORT", .take = take_endpoint, FIELD(meet.tuple.local)},
	{.arg = "REMOTE:PORT", .take = take_endpoint, FIELD(meet.tuple.remote)},
	{0},
};

static const struct meet_command_line defaults = {.meet = {.timeout_s = 30}};

static void print_end(FILE *out)
{
	fprintf(out, "\nThe connection is joined to standard input and output, or handed to "
		     "COMMAND.\n");
}

const struct command meet_command = {
	.program = "nolisten",
	.name = "meet",
	.usages = {"LOCAL:PORT REMOTE:PORT [OPTION...] [-- COMMAND [ARGUMENT...]]"},
	.summary = "two ends connect to each other, and neither listens",
	.purpose =
		"Connect two hosts by simultaneous open: run it on both, in any order, or on one "
		"against a plain peer that calls connect() again and again.",
	.options = options,
	.arguments = arguments,
	.has_rest = true,
	.size = sizeof(struct meet_command_line),
	.defaults = &defaults,
	.check = check,
	.print_more = print_end,
	.run = run,
};
