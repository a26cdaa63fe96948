/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* nolisten run: an unmodified server, nobody listening on its ports. */
#include "run.h"

#include <signal.h>
#include <string.h>

#include "commands.h"
#include "listen_fds.h"

#define DEFAULT_IDLE_S 60

struct run_command_line {
	struct run_options run;
	struct port_set ports;
	struct run_user user;
	struct addr address;
};

/* Given again, it adds. */
static int take_ports(struct option_parse *parse, const struct option_row *row, const char *arg)
{
	struct run_command_line *line = parse->options;
	struct port_set set;
	const char *why;

	(void)row;
	if (!port_set_parse(arg, &set, &why))
		return option_refuse(parse, arg, "%s", why);
	port_set_unite(&line->ports, &set);
	line->run.ports = &line->ports;
	return 0;
}

static int take_user(struct option_parse *parse, const struct option_row *row, const char *arg)
{
	struct run_command_line *line = parse->options;
	const char *why;

	(void)row;
	if (!run_user_find(arg, &line->user, &why))
		return option_refuse(parse, arg, "%s", why);
	line->run.user = &line->user;
	return 0;
}

static int take_interfaces(struct option_parse *parse, const struct option_row *row,
			   const char *arg)
{
	const size_t len = strlen(arg);

	if (!len || arg[0] == ',' || arg[len - 1] == ',' || strstr(arg, ",,"))
		return option_refuse(parse, arg, "interfaces with commas between are needed");
	return option_take_text(parse, row, arg);
}

/* What is not said takes a minute; 0: for ever. */
static int take_on_demand(struct option_parse *parse, const struct option_row *row, const char *arg)
{
	struct run_command_line *line = parse->options;

	line->run.life.is_on_demand = true;
	line->run.life.idle_s = DEFAULT_IDLE_S;
	return arg ? option_take_number(parse, row, arg) : 0;
}

static int take_restart(struct option_parse *parse, const struct option_row *row, const char *arg)
{
	struct run_command_line *line = parse->options;

	line->run.life.restart = LIFE_RESTART_ALWAYS;
	return arg ? option_take_word(parse, row, arg) : 0;
}

static int take_address(struct option_parse *parse, const struct option_row *row, const char *arg)
{
	struct run_command_line *line = parse->options;

	(void)row;
	if (!addr_parse(arg, &line->address))
		return option_refuse(parse, arg, "an IPv4 or IPv6 address is needed");
	line->run.address = &line->address;
	return 0;
}

/* Listeners that are made before COMMAND is there. */
static int check_early(struct option_parse *parse)
{
	const struct run_options *run = &((struct run_command_line *)parse->options)->run;
	const char *name = run->life.is_on_demand ? "--on-demand" : "--listen-fds";

	if (!run->life.is_on_demand && !run->passes_listeners)
		return run->address ? option_fail(parse, "--address: goes with --on-demand and "
							 "--listen-fds")
				    : 0;
	if (!run->ports)
		return option_fail(parse, "%s: needs --port: COMMAND has not said yet", name);
	if (port_set_count(run->ports) > LISTEN_FDS_MAX)
		return option_fail(parse, "%s: %d ports at most", name, LISTEN_FDS_MAX);
	return 0;
}

static int check(struct option_parse *parse)
{
	struct run_command_line *line = parse->options;

	line->run.command = parse->rest;
	if (!parse->rest || !parse->rest[0])
		return option_fail_usage(parse, "");
	if (line->run.socket && line->run.interfaces)
		return option_fail(parse, "--socket: the loader there knows its interface");
	return check_early(parse);
}

static int run(void *context)
{
	const struct run_command_line *line = context;

	return run_command(&line->run);
}

#define FIELD(member) OPTION_FIELD(run_command_line, member)

static const struct option_word restart_words[] = {
	{"always", LIFE_RESTART_ALWAYS}, {"on-failure", LIFE_RESTART_ON_FAILURE}, {0}};
static const struct option_word signal_words[] = {
	{"TERM", SIGTERM}, {"INT", SIGINT},   {"QUIT", SIGQUIT}, {"HUP", SIGHUP},
	{"USR1", SIGUSR1}, {"USR2", SIGUSR2}, {"KILL", SIGKILL}, {0}};

static const struct option_row options[] = {
	{"interface", 'i', "LIST",
	 "answer on these, as in eth0,lo [all that are up and have an address]", take_interfaces,
	 FIELD(run.interfaces), .offer = OFFER_INTERFACES},
	{"port", 'p', "LIST",
	 "take over these ports, as in 80,8000-8999 [all that COMMAND listens on]", take_ports},
	{"user", 'u', "USER", "run COMMAND as this user, with its groups", take_user},
	{"socket", 0, "PATH",
	 "of a loader that runs already, with --service=socket:PATH [its own ones]",
	 option_take_path, FIELD(run.socket), .offer = OFFER_FILES},
	{"no-parent", 0, NULL,
	 "put each connection into COMMAND, as on a kernel before 6.9, instead of having it "
	 "queued",
	 option_take_flag, FIELD(run.has_no_parent)},
	{"on-demand", 0, "IDLE",
	 "COMMAND is started by the first connection to one of --port, and ended after so many "
	 "seconds without one; 0: never [60]",
	 take_on_demand, FIELD(run.life.idle_s), .max = 86400, .is_optional = true},
	{"restart", 0, "WHEN",
	 "COMMAND is started again when it ends, and on SIGHUP; connections wait for it: %s [always]",
	 take_restart, FIELD(run.life.restart), .words = restart_words, .is_optional = true},
	{"stop-signal", 0, "SIGNAL", "with these, what ends COMMAND: %s [TERM]", option_take_word,
	 FIELD(run.life.stop_signal), .words = signal_words},
	{"listen-fds", 0, NULL,
	 "COMMAND gets a listener for each of --port as sd_listen_fds(3) has it", option_take_flag,
	 FIELD(run.passes_listeners)},
	{"address", 'a', "ADDRESS",
	 "where COMMAND will bind --port, for --on-demand and --listen-fds [any]", take_address},
	{"quiet", 'q', NULL, "say nothing but errors", option_take_flag, FIELD(run.is_quiet)},
	OPTION_HELP,
	{0},
};

static void print_end(FILE *out)
{
	fprintf(out,
		"\nThe exit status is COMMAND's; 127: not found, 126: cannot be run, 128 and N: "
		"ended by signal N.\n");
}

static const struct run_command_line defaults = {.run.life.stop_signal = SIGTERM};

const struct command run_sub_command = {
	.program = "nolisten",
	.name = "run",
	.usages = {"[OPTION...] -- COMMAND [ARGUMENT...]"},
	.summary = "an unmodified server, and nobody listens on its port",
	.purpose =
		"Run a server so that it gets its connections though nobody listens on its port: the "
		"handshakes are answered for it, and what it asks the kernel says what it always "
		"does.",
	.options = options,
	.defaults = &defaults,
	.has_rest = true,
	.size = sizeof(struct run_command_line),
	.check = check,
	.print_more = print_end,
	.run = run,
};
