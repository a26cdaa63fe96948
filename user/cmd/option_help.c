/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What --help prints, from the command's table: usages, purpose, a line or more for each option. */
#include <string.h>

#include "option.h"

#define LINE_WIDTH 79
#define TEXT_COLUMN 29
#define TEXT_SIZE 512

/* How much of the text fits into width: whole words, but one at least. */
static int fit(const char *text, int width)
{
	int len = 0, end = 0;

	do {
		end += (int)strcspn(text + end, " ");
		if (!len || end <= width)
			len = end;
		end += (int)strspn(text + end, " ");
	} while (text[end] && end < width);
	return len;
}

/* From where the cursor is, the column, which is where each line begins. */
static void print_wrapped(FILE *out, const char *text, int column)
{
	while (*text) {
		const int len = fit(text, LINE_WIDTH - column);

		fprintf(out, "%.*s\n", len, text);
		text += len;
		text += strspn(text, " ");
		fprintf(out, "%*s", *text ? column : 0, "");
	}
}

void help_print_item(FILE *out, const char *item, const char *text)
{
	const int len = fprintf(out, "  %s", item);

	if (len + 2 > TEXT_COLUMN)
		fprintf(out, "\n%*s", TEXT_COLUMN, "");
	else
		fprintf(out, "%*s", TEXT_COLUMN - len, "");
	print_wrapped(out, text, TEXT_COLUMN);
}

/* "-p, --port=LIST", with room for the letter where there is none. */
static void format_item(const struct option_row *row, char *text, size_t size)
{
	char letter[8] = "    ";

	if (row->letter)
		snprintf(letter, sizeof(letter), "-%c, ", row->letter);
	snprintf(text, size, "%s--%s%s%s%s%s", letter, row->name, row->is_optional ? "[" : "",
		 row->arg ? "=" : "", row->arg ? row->arg : "", row->is_optional ? "]" : "");
}

void option_format_help(const struct option_row *row, char *text, size_t size)
{
	const char *gap = strstr(row->help, "%s");
	char values[TEXT_SIZE];

	option_list_values(row, values, sizeof(values));
	if (gap)
		snprintf(text, size, "%.*s%s%s", (int)(gap - row->help), row->help, values,
			 gap + 2);
	else
		snprintf(text, size, "%s", row->help);
}

static void print_option(FILE *out, const struct option_row *row)
{
	char item[TEXT_SIZE], text[2 * TEXT_SIZE];

	format_item(row, item, sizeof(item));
	option_format_help(row, text, sizeof(text));
	help_print_item(out, item, text);
}

void command_print_help(const struct command *command, FILE *out)
{
	for (size_t i = 0; command->usages[i]; i++)
		fprintf(out, "%s %s %s\n", i ? "      " : "Usage:", command_title(command),
			command->usages[i]);
	print_wrapped(out, command->purpose, 0);
	putc('\n', out);
	for (const struct option_row *row = command->options; row->take; row++)
		print_option(out, row);
	if (command->print_more)
		command->print_more(out);
}
