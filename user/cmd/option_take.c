/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The kinds of arguments that options have, and how a mistake in them is worded. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "numbers.h"
#include "option.h"
#include "version.h"

#define VALUES_SIZE 160

int option_fail(struct option_parse *parse, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(parse->error, OPTION_ERROR_SIZE, format, args);
	va_end(args);
	return -EINVAL;
}

int option_refuse(struct option_parse *parse, const char *arg, const char *format, ...)
{
	const char *name = parse->row ? parse->row->name : NULL;
	size_t len;
	va_list args;

	if (name)
		option_fail(parse, "--%s: '%s': ", name, arg);
	else
		option_fail(parse, "'%s': ", arg);
	len = strlen(parse->error);
	va_start(args, format);
	vsnprintf(parse->error + len, OPTION_ERROR_SIZE - len, format, args);
	va_end(args);
	return -EINVAL;
}

int option_fail_usage(struct option_parse *parse, const char *why)
{
	char reason[OPTION_ERROR_SIZE];
	const char *title = command_title(parse->command);
	const char *const *usages = parse->command->usages;

	snprintf(reason, sizeof(reason), "%s", why);
	return option_fail(parse, "%susage: %s %s%s%s%s%s", reason, title, usages[0],
			   usages[1] ? ", or " : "", usages[1] ? title : "", usages[1] ? " " : "",
			   usages[1] ? usages[1] : "");
}

int option_fail_memory(struct option_parse *parse)
{
	option_fail(parse, "out of memory");
	return -ENOMEM;
}

void *option_field(const struct option_parse *parse, const struct option_row *row)
{
	return (char *)parse->options + row->offset;
}

static void set_number(const struct option_parse *parse, const struct option_row *row,
		       uint64_t value)
{
	void *field = option_field(parse, row);

	switch (row->size) {
	case sizeof(uint16_t):
		*(uint16_t *)field = (uint16_t)value;
		break;
	case sizeof(uint32_t):
		*(uint32_t *)field = (uint32_t)value;
		break;
	default:
		*(uint64_t *)field = value;
	}
}

int option_take_number(struct option_parse *parse, const struct option_row *row, const char *arg)
{
	uint64_t value;

	if (!number_parse(arg, row->min, row->max, &value))
		return option_refuse(parse, arg, "a number from %llu to %llu is needed",
				     (unsigned long long)row->min, (unsigned long long)row->max);
	set_number(parse, row, value);
	return 0;
}

const char *option_word_at(const struct option_row *row, size_t index)
{
	if (row->word_at)
		return row->word_at(index);
	return row->words ? row->words[index].text : NULL;
}

void option_list_values(const struct option_row *row, char *text, size_t size)
{
	size_t len = 0;
	const char *word;

	text[0] = '\0';
	for (size_t i = 0; (word = option_word_at(row, i)) && len < size; i++)
		len += (size_t)snprintf(text + len, size - len, "%s%s", len ? ", " : "", word);
	if (!len && row->max)
		snprintf(text, size, "%llu to %llu", (unsigned long long)row->min,
			 (unsigned long long)row->max);
}

int option_take_word(struct option_parse *parse, const struct option_row *row, const char *arg)
{
	char list[VALUES_SIZE];

	for (const struct option_word *word = row->words; word->text; word++) {
		if (strcmp(word->text, arg) == 0) {
			*(int *)option_field(parse, row) = word->value;
			return 0;
		}
	}
	option_list_values(row, list, sizeof(list));
	return option_refuse(parse, arg, "not one of %s", list);
}

int option_take_flag(struct option_parse *parse, const struct option_row *row, const char *arg)
{
	(void)arg;
	*(bool *)option_field(parse, row) = true;
	return 0;
}

int option_count_flag(struct option_parse *parse, const struct option_row *row, const char *arg)
{
	(void)arg;
	++*(unsigned int *)option_field(parse, row);
	return 0;
}

int option_take_text(struct option_parse *parse, const struct option_row *row, const char *arg)
{
	*(const char **)option_field(parse, row) = arg;
	return 0;
}

int option_take_path(struct option_parse *parse, const struct option_row *row, const char *arg)
{
	if (!*arg)
		return option_refuse(parse, arg, "a file name is needed");
	return option_take_text(parse, row, arg);
}

int option_take_help(struct option_parse *parse, const struct option_row *row, const char *arg)
{
	(void)row;
	(void)arg;
	command_print_help(parse->command, stdout);
	return OPTION_DONE;
}

int option_take_version(struct option_parse *parse, const struct option_row *row, const char *arg)
{
	(void)row;
	(void)arg;
	printf("%s %s\n", parse->command->program, NOLISTEN_VERSION);
	return OPTION_DONE;
}

enum shell {
	SHELL_BASH,
	SHELL_ZSH
};

const struct option_word option_shells[] = {{"bash", SHELL_BASH}, {"zsh", SHELL_ZSH}, {0}};

int option_take_completion(struct option_parse *parse, const struct option_row *row,
			   const char *arg)
{
	int shell = SHELL_BASH;
	struct option_row into_shell = *row;
	struct option_parse of_shell = *parse;
	int err;

	into_shell.offset = 0;
	of_shell.options = &shell;
	err = arg ? option_take_word(&of_shell, &into_shell, arg) : 0;
	if (err)
		return err;
	(shell == SHELL_ZSH ? completion_print_zsh : completion_print)(parse->command, stdout);
	return OPTION_DONE;
}
