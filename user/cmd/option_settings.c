/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which of what was given counts, and the same as a configuration file. */
#include "option_settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HELP_SIZE 1024
/* Of a long path the end tells most, and room is left for what is wrong. */
#define SHOWN_PATH 120
#define CANNOT_STAND "\"\n\r\t"

void option_settings_free(struct option_settings *settings)
{
	free(settings->text);
	free(settings->given);
	free(settings->argv);
	*settings = (struct option_settings){0};
}

int option_settings_keep(struct option_parse *parse, char **argv)
{
	struct option_settings *settings = parse->settings;

	while (argv[settings->argc])
		settings->argc++;
	settings->argv = calloc(settings->argc + 1, sizeof(*argv));
	if (!settings->argv)
		return option_fail_memory(parse);
	memcpy(settings->argv, argv, settings->argc * sizeof(*argv));
	return 0;
}

int option_settings_add(struct option_parse *parse, const struct option_row *row, const char *arg,
			unsigned int line)
{
	struct option_settings *settings = parse->settings;
	struct option_given *grown =
		reallocarray(settings->given, settings->count + 1, sizeof(*grown));

	if (!grown)
		return option_fail_memory(parse);
	settings->given = grown;
	grown[settings->count++] = (struct option_given){row, arg, line};
	settings->typed += !line;
	return 0;
}

int option_settings_note(struct option_parse *parse, const struct option_row *row, const char *arg)
{
	if (row->take == option_take_config)
		parse->settings->path = arg;
	return option_settings_add(parse, row, arg, 0);
}

void option_settings_locate(struct option_parse *parse, unsigned int line)
{
	const char *path = parse->settings->path;
	const size_t len = strlen(path);
	char what[OPTION_ERROR_SIZE];

	memcpy(what, parse->error, sizeof(what));
	option_fail(parse, "%s%s:%u: %s", len > SHOWN_PATH ? "..." : "",
		    len > SHOWN_PATH ? path + len - SHOWN_PATH : path, line, what);
}

/* The file's, that the command line has as well? */
static bool is_replaced(const struct option_settings *settings, const struct option_given *given)
{
	for (size_t i = 0; given->line && i < settings->typed; i++)
		if (settings->given[i].row == given->row)
			return true;
	return false;
}

static int take_given(struct option_parse *parse, const struct option_given *given)
{
	int err;

	parse->row = given->row;
	err = given->row->take(parse, given->row, given->arg);
	parse->row = NULL;
	if (err)
		option_settings_locate(parse, given->line);
	return err;
}

/* Is every line right, those too that do not count? */
static int try_lines(struct option_parse *parse)
{
	const struct command *command = parse->command;
	const struct option_settings *settings = parse->settings;
	void *options = parse->options, *scratch = calloc(1, command->size);
	int err = 0;

	if (!scratch)
		return option_fail_memory(parse);
	if (command->defaults)
		memcpy(scratch, command->defaults, command->size);
	parse->options = scratch;
	for (size_t i = settings->typed; !err && i < settings->count; i++)
		err = take_given(parse, &settings->given[i]);
	if (command->release)
		command->release(scratch);
	free(scratch);
	parse->options = options;
	return err;
}

/* What is printed and done at once, help for instance, needs no file. */
static bool prints_at_once(const struct option_given *given)
{
	return given->row->take == option_take_help || given->row->take == option_take_version ||
	       given->row->take == option_take_completion;
}

int option_settings_read(struct option_parse *parse)
{
	struct option_settings *settings = parse->settings;
	int err;

	for (size_t i = 0; i < settings->typed; i++)
		if (prints_at_once(&settings->given[i]))
			return 0;
	if (!settings->path)
		return 0;
	err = option_file_read(parse) ?: try_lines(parse);
	for (size_t i = settings->typed; !err && i < settings->count; i++)
		if (!is_replaced(settings, &settings->given[i]))
			err = take_given(parse, &settings->given[i]);
	return err;
}

void option_settings_blame(struct option_parse *parse)
{
	const struct option_settings *settings = parse->settings;
	const char *name = parse->error + 2;
	const size_t len = strcspn(name, ":");

	if (!settings || !settings->path || strncmp(parse->error, "--", 2))
		return;
	for (size_t i = settings->count; i > settings->typed; i--) {
		const struct option_given *given = &settings->given[i - 1];

		if (strncmp(given->row->name, name, len) || given->row->name[len] ||
		    is_replaced(settings, given))
			continue;
		option_settings_locate(parse, given->line);
		return;
	}
}

static bool needs_quotes(const char *value)
{
	const size_t len = strlen(value);

	return value[0] == '"' || strpbrk(value, "\n\r") ||
	       (len && (strchr(" \t", value[0]) || strchr(" \t", value[len - 1])));
}

static void print_value(FILE *out, const char *value)
{
	static const char marks[] = "\"nrt";

	if (!needs_quotes(value)) {
		fputs(value, out);
		return;
	}
	putc('"', out);
	for (; *value; value++) {
		const char *special = strchr(CANNOT_STAND, *value);

		if (special)
			fprintf(out, "\\%c", marks[special - CANNOT_STAND]);
		else
			fprintf(out, "%s%c", *value == '\\' ? "\\" : "", *value);
	}
	putc('"', out);
}

static void print_row(FILE *out, const struct option_settings *settings,
		      const struct option_row *row)
{
	bool is_given = false;
	char help[HELP_SIZE];

	option_format_help(row, help, sizeof(help));
	fprintf(out, "\n# %s\n", help);
	for (size_t i = 0; i < settings->count; i++) {
		const struct option_given *given = &settings->given[i];

		if (given->row != row || is_replaced(settings, given))
			continue;
		fprintf(out, "%s%s", row->name, given->arg ? " = " : "");
		print_value(out, given->arg ?: "");
		putc('\n', out);
		is_given = true;
	}
	if (!is_given)
		fprintf(out, "#%s%s%s\n", row->name, row->arg ? " = " : "", row->arg ?: "");
}

void option_settings_print(const struct command *command, const struct option_settings *settings,
			   FILE *out)
{
	fprintf(out, "# Options of %s, as --config takes them. One behind a # was not given.\n",
		command_title(command));
	for (const struct option_row *row = command->options; row->take; row++)
		if (!row->is_request)
			print_row(out, settings, row);
}

/* The next that counts and is of the row, from *at on; NULL: no more. */
static const struct option_given *next_given(const struct option_settings *settings,
					     const struct option_row *row, size_t *at)
{
	while (*at < settings->count) {
		const struct option_given *given = &settings->given[(*at)++];

		if (given->row == row && !is_replaced(settings, given))
			return given;
	}
	return NULL;
}

bool option_settings_agree(const struct option_settings *a, const struct option_settings *b,
			   const struct option_row *row, unsigned int *line)
{
	const struct option_given *one, *other;
	size_t a_at = 0, b_at = 0;
	bool is_same = true;

	*line = 0;
	do {
		one = next_given(a, row, &a_at);
		other = next_given(b, row, &b_at);
		is_same = is_same && !one == !other &&
			  (!one || !strcmp(one->arg ?: "", other->arg ?: ""));
		if (other)
			*line = other->line;
	} while (one || other);
	return is_same;
}

int option_take_config(struct option_parse *parse, const struct option_row *row, const char *arg)
{
	(void)row;
	if (!*arg)
		return option_refuse(parse, arg, "a file name is needed");
	if (arg != parse->settings->path)
		return option_refuse(parse, arg, "one file only, and '%s' is another",
				     parse->settings->path);
	return 0;
}

int option_take_print_config(struct option_parse *parse, const struct option_row *row,
			     const char *arg)
{
	(void)row;
	(void)arg;
	parse->settings->is_printed = true;
	return 0;
}
