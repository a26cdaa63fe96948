/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* nolisten: its sub-commands as one table. */
#include "commands.h"

static const struct command *const sub_commands[] = {
	&flows_command,	  &status_command,  &top_command,     &self_command,
	&meet_command,	  &connect_command, &explain_command, &guard_command,
	&run_sub_command, &unload_command,  &bench_command,   NULL,
};

static const struct option_row options[] = {OPTION_COMPLETION, OPTION_VERSION, OPTION_HELP, {0}};

static int ask_for_command(struct option_parse *parse)
{
	return option_fail(parse, "which command? (see %s --help)", command_title(parse->command));
}

static void print_commands(FILE *out)
{
	fprintf(out, "\nCommands, each of which has a --help of its own:\n");
	for (const struct command *const *command = sub_commands; *command; command++)
		help_print_item(out, (*command)->name, (*command)->summary);
}

const struct command nolisten_command = {
	.program = "nolisten",
	.usages = {"COMMAND [ARGUMENT...]"},
	.purpose = "TCP connections without a listening socket: look, connect, explain.",
	.options = options,
	.commands = sub_commands,
	.check = ask_for_command,
	.print_more = print_commands,
};
