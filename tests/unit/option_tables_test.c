/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Every option of every command is in its help, in its manual page and in the completion alike, and the pages describe no
 * option that there is not. The pages are read from doc/, as seen from the top of the tree.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmocka_setup.h"

#include "commands.h"
#include "loader_options.h"

#define TEXT_SIZE 256
#define PAGE_SIZE 65536
#define COMMANDS_MAX 32

/* The programs and their sub-commands, ended by NULL. */
static const struct command *commands[COMMANDS_MAX];

static int list_commands(void **state)
{
	size_t count = 0;

	(void)state;
	commands[count++] = &loader_command;
	commands[count++] = &nolisten_command;
	for (size_t i = 0; nolisten_command.commands[i]; i++) {
		assert_true(count < COMMANDS_MAX - 1);
		commands[count++] = nolisten_command.commands[i];
	}
	return 0;
}

static const char *page_of(const struct command *command)
{
	static char path[TEXT_SIZE];
	FILE *file;

	if (command == &loader_command)
		return "doc/nolisten-loader.8.scd";
	snprintf(path, sizeof(path), "doc/nolisten-%s.1.scd", command->name ? command->name : "");
	file = fopen(path, "r");
	if (!file)
		return "doc/nolisten.1.scd";
	fclose(file);
	return path;
}

static void read_page(const char *path, char text[PAGE_SIZE])
{
	FILE *file = fopen(path, "r");
	size_t len;

	if (!file)
		fail_msg("%s: cannot be read: run this from the top of the tree", path);
	len = fread(text, 1, PAGE_SIZE - 1, file);
	fclose(file);
	text[len] = '\0';
	assert_true(len < PAGE_SIZE - 1);
}

/* What print(command) prints; to be freed. */
static char *text_of(void (*print)(const struct command *command, FILE *out),
		     const struct command *command)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	print(command, out);
	assert_int_equal(fclose(out), 0);
	return text;
}

/* Is there a line that begins with tabs or spaces, then start? */
static const char *find_line(const char *text, const char *start)
{
	for (; *text; text += strcspn(text, "\n"), text += *text == '\n') {
		text += strspn(text, " \t");
		if (!strncmp(text, start, strlen(start)))
			return text;
	}
	return NULL;
}

static bool is_in_help(const char *help, const struct option_row *row)
{
	char start[TEXT_SIZE], letter[8] = "";

	if (row->letter)
		snprintf(letter, sizeof(letter), "-%c, ", row->letter);
	snprintf(start, sizeof(start), "%s--%s%s%s%s%s", letter, row->name,
		 row->is_optional ? "[" : "", row->arg ? "=" : "", row->arg ? row->arg : "",
		 row->is_optional ? "]" : "");
	return find_line(help, start);
}

/* "*-p*, *--port*=_LIST_", as scdoc has it: what is to be replaced, in capitals, is underlined. */
static void format_heading(const struct option_row *row, char *text, size_t size)
{
	FILE *out = fmemopen(text, size, "w");
	bool is_underlined = false;

	assert_non_null(out);
	if (row->letter)
		fprintf(out, "*-%c*, ", row->letter);
	fprintf(out, "*--%s*%s", row->name, row->is_optional ? "[=" : row->arg ? "=" : "");
	for (const char *arg = row->arg; arg && *arg; arg++) {
		if (is_underlined != !!isupper((unsigned char)*arg))
			putc('_', out);
		is_underlined = isupper((unsigned char)*arg);
		putc(*arg, out);
	}
	fprintf(out, "%s%s", is_underlined ? "_" : "", row->is_optional ? "]" : "");
	assert_int_equal(fclose(out), 0);
}

/* A heading may be the second one of its line, behind "; ". */
static bool is_in_page(const char *page, const char *heading)
{
	const size_t len = strlen(heading);

	for (const char *line = page; (line = find_line(line, "*-")); line += strcspn(line, "\n")) {
		const char *end = line + strcspn(line, "\n");

		for (const char *at = line; at; at = memmem(at, (size_t)(end - at), "; ", 2)) {
			at += strspn(at, "; ");
			if (!strncmp(at, heading, len) && strchr("\n;", at[len]))
				return true;
		}
	}
	return false;
}

/* Is the word on that line of the script, between quotes or spaces? */
static bool is_word_of(const char *line, const char *word)
{
	const size_t len = strlen(word);
	const char *end = line + strcspn(line, "\n");

	for (const char *at = line; (at = strstr(at, word)) && at < end; at++)
		if (strchr("' ", at[-1]) && strchr("' ", at[len]))
			return true;
	return false;
}

static bool is_in_completion(const char *script, const char *name, const struct option_row *row)
{
	char start[TEXT_SIZE], word[TEXT_SIZE];
	const char *line, *value;

	snprintf(start, sizeof(start), "'%s ') options='", name);
	snprintf(word, sizeof(word), "--%s%s", row->name, row->arg ? "=" : "");
	line = find_line(script, start);
	if (!line || !is_word_of(line, word))
		return false;
	snprintf(word, sizeof(word), "-%c", row->letter);
	if (row->letter && !is_word_of(line, word))
		return false;
	if (!row->arg)
		return true;
	snprintf(start, sizeof(start), "'%s --%s'", name, row->name);
	line = find_line(script, start);
	for (size_t i = 0; line && (value = option_word_at(row, i)); i++)
		if (!is_word_of(line, value))
			return false;
	return line;
}

static void each_option_is_in_the_help(void **state)
{
	(void)state;
	for (size_t i = 0; commands[i]; i++) {
		char *help = text_of(command_print_help, commands[i]);

		for (const struct option_row *row = commands[i]->options; row->take; row++)
			if (!is_in_help(help, row))
				fail_msg("%s: --%s is not in its --help: see option_help.c",
					 command_title(commands[i]), row->name);
		free(help);
	}
}

static void each_option_is_in_the_manual_page(void **state)
{
	char page[PAGE_SIZE], heading[TEXT_SIZE];

	(void)state;
	for (size_t i = 0; commands[i]; i++) {
		read_page(page_of(commands[i]), page);
		for (const struct option_row *row = commands[i]->options; row->take; row++) {
			format_heading(row, heading, sizeof(heading));
			if (!is_in_page(page, heading))
				fail_msg(
					"%s: --%s is not in %s: tell what it does behind a line %s",
					command_title(commands[i]), row->name, page_of(commands[i]),
					heading);
		}
	}
}

static void each_option_is_in_the_completion(void **state)
{
	(void)state;
	for (size_t i = 0; commands[i]; i++) {
		const char *name = commands[i]->name ? commands[i]->name : "";
		char *script = text_of(completion_print, *name ? &nolisten_command : commands[i]);

		for (const struct option_row *row = commands[i]->options; row->take; row++)
			if (!is_in_completion(script, name, row))
				fail_msg("%s: --%s is not in --completion: see completion.c",
					 command_title(commands[i]), row->name);
		free(script);
	}
}

static bool has_option(const char *path, const char *name, size_t len)
{
	for (size_t i = 0; commands[i]; i++) {
		if (strcmp(page_of(commands[i]), path))
			continue;
		for (const struct option_row *row = commands[i]->options; row->take; row++)
			if (strlen(row->name) == len && !strncmp(row->name, name, len))
				return true;
	}
	return false;
}

/* The first option that such a line of the page names and no command of the page has, and its length; or NULL. */
static const char *find_stranger(const char *page, const char *path, size_t *len)
{
	for (const char *line = page; (line = find_line(line, "*-")); line += strcspn(line, "\n")) {
		const char *end = line + strcspn(line, "\n");

		for (const char *at = line; (at = strstr(at, "*--")) && at < end; at += *len) {
			at += 3;
			*len = strcspn(at, "*");
			if (!has_option(path, at, *len))
				return at;
		}
	}
	return NULL;
}

static void a_manual_page_describes_no_option_that_there_is_not(void **state)
{
	char page[PAGE_SIZE];

	(void)state;
	for (size_t i = 0; commands[i]; i++) {
		const char *stranger;
		size_t len;

		read_page(page_of(commands[i]), page);
		stranger = find_stranger(page, page_of(commands[i]), &len);
		if (stranger)
			fail_msg("%s: --%.*s is no option of %s: take it out, or add its row",
				 page_of(commands[i]), (int)len, stranger,
				 command_title(commands[i]));
	}
}

static const struct option_word colours[] = {{"red", 0}, {"blue", 0}, {0}};
static const struct option_row tint = {
	.name = "tint",
	.letter = 't',
	.arg = "COLOUR",
	.take = option_take_word,
	.words = colours,
};
static const struct option_row plain = {"bare", 0, NULL, "", option_take_flag};

static void what_is_missing_is_noticed(void **state)
{
	size_t len;

	(void)state;
	assert_true(is_in_help("  -t, --tint=COLOUR  x\n", &tint));
	assert_false(is_in_help("      --tint=COLOUR  x\n", &tint));
	assert_false(is_in_help("  -t, --tint  x\n", &tint));
	assert_true(is_in_completion("\t'x ') options='-t --tint=' ;;\n"
				     "\t'x --tint' | 'x -t') takes=needed values='red blue' ;;\n",
				     "x", &tint));
	assert_false(is_in_completion("\t'x ') options='-t --tint=' ;;\n"
				      "\t'x --tint' | 'x -t') takes=needed values='red' ;;\n",
				      "x", &tint));
	assert_false(is_in_completion("\t'x ') options='-t --tint=' ;;\n", "x", &tint));
	assert_false(is_in_completion("\t'y ') options='--bare' ;;\n", "x", &plain));
	assert_false(is_in_completion("\t'x ') options='--bare-not' ;;\n", "x", &plain));
	assert_true(is_in_page("# O\n\n*--bare*\n\tx\n", "*--bare*"));
	assert_true(is_in_page("# O\n\n*--odd*; *--bare*\n\tx\n", "*--bare*"));
	assert_false(is_in_page("# O\n\n*--odd*, and *--bare*\n\tx\n", "*--bare*"));
	assert_false(is_in_page("# O\n\n*-b*, *--bare*\n\tx\n", "*--bare*"));
	assert_false(is_in_page("# O\n\n*--bare*=_X_\n\tx\n", "*--bare*"));
	assert_non_null(find_stranger("*--quick*\n\n*--fast*\n", "doc/nolisten-bench.1.scd", &len));
	assert_null(find_stranger("*--quick*\n", "doc/nolisten-bench.1.scd", &len));
}

static void headings_are_as_scdoc_has_them(void **state)
{
	const struct option_row peer = {"peer", 0, "NAME:COMMAND", "", option_take_text};
	const struct option_row demo = {"demo", 'd', "SCENE", .is_optional = true};
	char text[TEXT_SIZE];

	(void)state;
	format_heading(&tint, text, sizeof(text));
	assert_string_equal(text, "*-t*, *--tint*=_COLOUR_");
	format_heading(&plain, text, sizeof(text));
	assert_string_equal(text, "*--bare*");
	format_heading(&peer, text, sizeof(text));
	assert_string_equal(text, "*--peer*=_NAME_:_COMMAND_");
	format_heading(&demo, text, sizeof(text));
	assert_string_equal(text, "*-d*, *--demo*[=_SCENE_]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_option_is_in_the_help),
		cmocka_unit_test(each_option_is_in_the_manual_page),
		cmocka_unit_test(each_option_is_in_the_completion),
		cmocka_unit_test(a_manual_page_describes_no_option_that_there_is_not),
		cmocka_unit_test(what_is_missing_is_noticed),
		cmocka_unit_test(headings_are_as_scdoc_has_them),
	};

	return cmocka_run_group_tests_name("option_tables", tests, list_commands, NULL);
}
