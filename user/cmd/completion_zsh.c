/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Completion for zsh: completion.zsh, and a specification of _arguments for each row of the program's table. */
#include <string.h>

#include "option.h"

#define NAME_SIZE 64
#define HELP_SIZE 1024

static const char script[] =
#include "completion.zsh.h"
	;

static const char *const offers[] = {
	[OFFER_FILES] = "_files",
	[OFFER_FOLDERS] = "_files -/",
	[OFFER_INTERFACES] = "_nolisten_ifname",
};

/* Inside of single quotes, where _arguments minds brackets and colons. */
static void print_quoted(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\''", out);
		else
			fprintf(out, "%s%c", strchr("[]:\\", *text) ? "\\" : "", *text);
	}
}

/* "ARG: ACTION"; a blank in front of the action, for it to be called as it is. */
static void print_argument(FILE *out, const struct option_row *row)
{
	const char *word;

	print_quoted(out, row->arg);
	fputs(": ", out);
	if (offers[row->offer] && row->offer != OFFER_LIST)
		fputs(offers[row->offer], out);
	else if (option_word_at(row, 0))
		fputs(row->offer == OFFER_LIST ? "_nolisten_list" : "_nolisten_values", out);
	for (size_t i = 0; (word = option_word_at(row, i)); i++) {
		putc(' ', out);
		print_quoted(out, word);
	}
}

/* Each may be given again. */
static void print_option(FILE *out, const struct option_row *row)
{
	const char *equals = !row->arg ? "" : row->is_optional ? "=-" : "=";
	char help[HELP_SIZE];

	fputs(" \\\n\t\t", out);
	if (row->letter)
		fprintf(out, "'*'{-%c%s,--%s%s}'[", row->letter, row->arg ? "+" : "", row->name,
			equals);
	else
		fprintf(out, "'*--%s%s[", row->name, equals);
	option_format_help(row, help, sizeof(help));
	print_quoted(out, help);
	putc(']', out);
	if (row->arg) {
		fputs(row->is_optional ? "::" : ":", out);
		print_argument(out, row);
	}
	putc('\'', out);
}

/* The last argument that has a row stands for those that follow it. */
static void print_rows(FILE *out, const struct command *command)
{
	if (command->has_rest)
		fputs("\t_nolisten_rest && return\n", out);
	fputs("\t_arguments -s -S :", out);
	for (const struct option_row *row = command->options; row->take; row++)
		print_option(out, row);
	for (const struct option_row *row = command->arguments; row && row->take; row++) {
		fprintf(out, " \\\n\t\t'%s:", row[1].take ? "" : "*");
		print_argument(out, row);
		putc('\'', out);
	}
	putc('\n', out);
}

static void print_commands(FILE *out, const struct command *command)
{
	fputs("\tlocal -a commands=(", out);
	for (const struct command *const *one = command->commands; *one; one++) {
		fprintf(out, "\n\t\t'%s:", (*one)->name);
		print_quoted(out, (*one)->summary);
		putc('\'', out);
	}
	fputs(")\n\tif ((CURRENT == 2)) && [[ $words[2] != -* ]]; then\n"
	      "\t\t_describe command commands\n\t\treturn\n\tfi\n"
	      "\tcase $words[2] in\n",
	      out);
	for (const struct command *const *one = command->commands; *one; one++) {
		fprintf(out, "\t%s)\n\tshift words\n\t((CURRENT--))\n", (*one)->name);
		print_rows(out, *one);
		fputs("\t;;\n", out);
	}
	fputs("\t-*)\n", out);
	print_rows(out, command);
	fputs("\t;;\n\tesac\n", out);
}

void completion_print_zsh(const struct command *command, FILE *out)
{
	const char *program = command->program;

	fprintf(out, "#compdef %s\n%s_%s()\n{\n", program, script, program);
	if (command->commands)
		print_commands(out, command);
	else
		print_rows(out, command);
	/* Both as a file that zsh loads when it is needed, and read at once. */
	fprintf(out,
		"}\n\nif [[ ${funcstack[1]} == _%s ]]; then\n\t_%s \"$@\"\nelse\n\tcompdef _%s %s\nfi\n",
		program, program, program, program);
}
