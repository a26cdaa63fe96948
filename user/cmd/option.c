/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reading a command line by a command's table: options and arguments in any order, options by their letters, several
 * behind one "-", by their names or by a beginning that no other has.
 */
#include "option.h"

#include <errno.h>
#include <string.h>

#include "option_settings.h"

/* Letters that always ask for help. */
#define HELP_LETTER 'h'
#define HELP_LETTER_TOO '?'

static const struct option_row *find_short(const struct command *command, char letter)
{
	if (letter == HELP_LETTER_TOO)
		letter = HELP_LETTER;
	for (const struct option_row *row = command->options; row->take; row++)
		if (row->letter == letter)
			return row;
	return NULL;
}

/* By its whole name, or by a beginning that no other has; *is_ambiguous: several have it. */
static const struct option_row *find_long(const struct command *command, const char *name,
					  size_t len, bool *is_ambiguous)
{
	const struct option_row *found = NULL;

	*is_ambiguous = false;
	for (const struct option_row *row = command->options; row->take; row++) {
		if (strncmp(row->name, name, len))
			continue;
		if (!row->name[len]) {
			*is_ambiguous = false;
			return row;
		}
		*is_ambiguous = found;
		found = row;
	}
	return found;
}

static int take(struct option_parse *parse, const struct option_row *row, const char *arg)
{
	int err;

	if (parse->is_noting)
		return option_settings_note(parse, row, arg);
	parse->row = row;
	err = row->take(parse, row, arg);
	parse->row = NULL;
	return err;
}

/* *next: what follows the option in argv. */
static int take_long(struct option_parse *parse, const char *text, char ***next)
{
	const size_t len = strcspn(text, "=");
	const char *arg = text[len] ? text + len + 1 : NULL;
	bool is_ambiguous;
	const struct option_row *row = find_long(parse->command, text, len, &is_ambiguous);

	if (!row)
		return option_fail(parse, "--%.*s: no such option (see %s --help)", (int)len, text,
				   command_title(parse->command));
	if (is_ambiguous)
		return option_fail(parse, "--%.*s: which option? several start so", (int)len, text);
	if (arg && !row->arg)
		return option_fail(parse, "--%s: takes no argument", row->name);
	if (!arg && row->arg && !row->is_optional) {
		if (!**next)
			return option_fail(parse, "--%s: needs an argument, %s", row->name,
					   row->arg);
		arg = *(*next)++;
	}
	return take(parse, row, arg);
}

/* The first of the letters; *taken: how many characters were its own. */
static int take_short(struct option_parse *parse, const char *letters, char ***next, size_t *taken)
{
	const struct option_row *row = find_short(parse->command, *letters);
	const char *arg = NULL;

	*taken = 1;
	if (!row)
		return option_fail(parse, "-%c: no such option (see %s --help)", *letters,
				   command_title(parse->command));
	if (row->arg && letters[1]) {
		arg = letters + 1;
		*taken = strlen(letters);
	} else if (row->arg && !row->is_optional) {
		if (!**next)
			return option_fail(parse, "-%c: needs an argument, %s", *letters, row->arg);
		arg = *(*next)++;
	}
	return take(parse, row, arg);
}

static int take_letters(struct option_parse *parse, const char *letters, char ***next)
{
	size_t taken;
	int err = 0;

	for (; !err && *letters; letters += taken)
		err = take_short(parse, letters, next, &taken);
	return err;
}

static int take_arguments(struct option_parse *parse, char **arguments, size_t count)
{
	const struct option_row *row = parse->command->arguments;
	int err = 0;

	if (count && !row)
		return option_fail(parse, "'%s': not understood (see %s --help)", arguments[0],
				   command_title(parse->command));
	for (size_t i = 0; !err && i < count; i++, row++) {
		if (!row->take) {
			option_refuse(parse, arguments[i], "one too many: ");
			return option_fail_usage(parse, parse->error);
		}
		err = take(parse, row, arguments[i]);
	}
	return err;
}

/* Of what may run a command: there are as many arguments as it takes already, so this one is the command's. */
static bool is_of_command(const struct command *command, size_t count)
{
	const struct option_row *row = command->arguments;

	if (!command->has_rest)
		return false;
	while (row && row->take && count) {
		row++;
		count--;
	}
	return !row || !row->take;
}

static bool has_dashes(char **argv)
{
	while (*argv && strcmp(*argv, "--"))
		argv++;
	return *argv;
}

/* next: what follows it. */
static int take_argument(struct option_parse *parse, char **argv, size_t *count, char *text,
			 char **next)
{
	if (is_of_command(parse->command, *count) && !has_dashes(next))
		return option_fail(
			parse, "'%s': %sa command needs -- in front of it (see %s --help)", text,
			*count ? "one too many, and " : "", command_title(parse->command));
	argv[(*count)++] = text;
	return 0;
}

/* The options; what is none of them is moved to the front of argv. */
static int take_options(struct option_parse *parse, char **argv, size_t *count)
{
	char **next = argv, *text;
	int err = 0;

	*count = 0;
	while (!err && (text = *next)) {
		next++;
		if (text[0] != '-' || !text[1] || parse->rest)
			err = take_argument(parse, argv, count, text, next);
		else if (!strcmp(text, "--"))
			parse->rest = next;
		else if (text[1] == '-')
			err = take_long(parse, text + 2, &next);
		else
			err = take_letters(parse, text + 1, &next);
		if (parse->rest && parse->command->has_rest)
			break;
	}
	return err;
}

/*
 * Which options the command line has decides what counts of the file, whose name is one of them: they are read twice. What
 * is wrong with them the second time tells.
 */
static int take_settings(struct option_parse *parse, char **argv)
{
	const struct command *command = parse->command;
	size_t count;
	int err;

	if (!command->settings_at)
		return 0;
	parse->settings = (void *)((char *)parse->options + command->settings_at);
	err = option_settings_keep(parse, argv);
	if (err)
		return err;
	parse->is_noting = true;
	err = take_options(parse, argv + 1, &count);
	parse->is_noting = false;
	memcpy(argv, parse->settings->argv, parse->settings->argc * sizeof(*argv));
	parse->rest = NULL;
	if (err == -ENOMEM)
		return err;
	parse->error[0] = '\0';
	return err ? 0 : option_settings_read(parse);
}

int command_parse(const struct command *command, void *options, char **argv,
		  char error[OPTION_ERROR_SIZE])
{
	struct option_parse parse = {.command = command, .options = options, .error = error};
	size_t count;
	int err;

	memset(options, 0, command->size);
	if (command->defaults)
		memcpy(options, command->defaults, command->size);
	error[0] = '\0';
	err = take_settings(&parse, argv);
	if (!err)
		err = take_options(&parse, argv + 1, &count);
	if (!err)
		err = take_arguments(&parse, argv + 1, count);
	if (err || !command->check)
		return err;
	err = command->check(&parse);
	if (err < 0)
		option_settings_blame(&parse);
	return err;
}
