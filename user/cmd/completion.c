/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Completion for bash: completion.bash, which knows how, and the program's table, which says what. */
#include <string.h>

#include "option.h"

#define NAME_SIZE 64

static const char script[] =
#include "completion.bash.h"
	;

static const char *const offers[] = {
	[OFFER_NOTHING] = NULL,	     [OFFER_FILES] = "files",
	[OFFER_FOLDERS] = "folders", [OFFER_INTERFACES] = "interfaces",
	[OFFER_LIST] = "list",
};

/* What an argument may be. No word has a quote or a space in it. */
static void print_values(FILE *out, const struct option_row *row)
{
	const char *word;

	for (size_t i = 0; (word = option_word_at(row, i)); i++)
		fprintf(out, "%s%s", i ? " " : " values='", word);
	if (option_word_at(row, 0))
		fprintf(out, "'");
	if (offers[row->offer])
		fprintf(out, " offers=%s", offers[row->offer]);
}

static void print_option(FILE *out, const char *name, const struct option_row *row)
{
	fprintf(out, "\t'%s --%s'", name, row->name);
	if (row->letter)
		fprintf(out, " | '%s -%c'", name, row->letter);
	fprintf(out, ") takes=%s", row->is_optional ? "optional" : "needed");
	print_values(out, row);
	fprintf(out, " ;;\n");
}

static void print_spellings(FILE *out, const struct option_row *row)
{
	if (row->letter)
		fprintf(out, " -%c", row->letter);
	if (!row->arg || row->is_optional)
		fprintf(out, " --%s", row->name);
	if (row->arg)
		fprintf(out, " --%s=", row->name);
}

/* name: the sub-command's, or "". */
static void print_command(FILE *out, const char *name, const struct command *command)
{
	fprintf(out, "\t'%s ') options='", name);
	for (const struct option_row *row = command->options; row->take; row++)
		print_spellings(out, row);
	fprintf(out, "'");
	if (command->arguments)
		print_values(out, command->arguments);
	if (command->has_rest)
		fprintf(out, " rest=commands");
	for (size_t i = 0; command->commands && command->commands[i]; i++)
		fprintf(out, "%s%s", i ? " " : " commands='", command->commands[i]->name);
	fprintf(out, "%s ;;\n", command->commands ? "' values=$commands" : "");
	for (const struct option_row *row = command->options; row->take; row++)
		if (row->arg)
			print_option(out, name, row);
}

void completion_print(const struct command *command, FILE *out)
{
	char function[NAME_SIZE];

	snprintf(function, sizeof(function), "_%s", command->program);
	for (char *dash; (dash = strchr(function, '-'));)
		*dash = '_';
	fprintf(out, "%s\n%s_table()\n{\n\tcase \"$1 $2\" in\n", script, function);
	print_command(out, "", command);
	for (size_t i = 0; command->commands && command->commands[i]; i++)
		print_command(out, command->commands[i]->name, command->commands[i]);
	fprintf(out, "\tesac\n}\n\n%s()\n{\n\t_nolisten_complete %s_table\n}\n", function,
		function);
	fprintf(out, "complete -F %s %s\n", function, command->program);
}
