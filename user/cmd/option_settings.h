/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What was given: the options of the command line, and those of the configuration file, a line each, in the form
 *
 *	# a comment
 *	port = 80,443
 *	service = banner:220 hello\r\n
 *	quiet
 *
 * with the names of the options and what they take, by the same rows. An option that the command line has replaces all
 * lines of the file that have it, which have to be right nevertheless. Blanks around a value are no part of it; one in
 * double quotes keeps them, and has \" \\ \n \r \t for what cannot stand there.
 */
#ifndef NOLISTEN_OPTION_SETTINGS_H
#define NOLISTEN_OPTION_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "option.h"

struct option_given {
	const struct option_row *row;
	const char *arg; /* NULL: none */
	unsigned int line; /* of the file; 0: on the command line */
};

/* In the struct that a command's rows fill; zeros are an empty one. */
struct option_settings {
	const char *path; /* of the file; NULL: there is none */
	bool is_printed; /* all of it, and nothing else is done */
	char *text; /* the file's, which the values are parts of */
	struct option_given *given; /* the command line's come first */
	size_t count, typed; /* so many are the command line's */
	char **argv; /* as it was before it was read, ended by NULL; the strings are borrowed */
	size_t argc;
};

#define OPTION_SETTINGS(type, member) .settings_at = offsetof(struct type, member)

void option_settings_free(struct option_settings *settings);

/* Of the parser: keep argv; note an option; take the file. 0, -EINVAL or -ENOMEM with a line in parse->error. */
int option_settings_keep(struct option_parse *parse, char **argv);
int option_settings_note(struct option_parse *parse, const struct option_row *row, const char *arg);
int option_settings_read(struct option_parse *parse);
/* The error begins with an option: if that comes from the file, put in front of it where. */
void option_settings_blame(struct option_parse *parse);

/* A configuration file that means the same, with a comment for what was not given. */
void option_settings_print(const struct command *command, const struct option_settings *settings,
			   FILE *out);
/* Do both have the option with the same arguments, in the same order? *line: where the second one has it last, or 0. */
bool option_settings_agree(const struct option_settings *a, const struct option_settings *b,
			   const struct option_row *row, unsigned int *line);

/* Between option_settings.c and option_file.c, which reads all lines of settings->path. */
int option_file_read(struct option_parse *parse);
int option_settings_add(struct option_parse *parse, const struct option_row *row, const char *arg,
			unsigned int line);
/* "FILE:LINE: " in front of the error. */
void option_settings_locate(struct option_parse *parse, unsigned int line);

/* --config=FILE, --print-config. */
int option_take_config(struct option_parse *parse, const struct option_row *row, const char *arg);
int option_take_print_config(struct option_parse *parse, const struct option_row *row,
			     const char *arg);
#define OPTION_CONFIG                                                                       \
	{                                                                                   \
		"config", 0, "FILE", "read options from there, a line each: port = 80,443", \
			option_take_config, .offer = OFFER_FILES, .is_request = true        \
	}
#define OPTION_PRINT_CONFIG                                                                  \
	{                                                                                    \
		"print-config", 0, NULL, "print all options as such a file, and do no more", \
			option_take_print_config, .is_request = true                         \
	}

#endif
