/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Command lines as tables. A command is one const struct command, its options and arguments a row each; the parser, the
 * help, the configuration file and the shell's completion all read these rows, and each error is one line in one style:
 *
 *	--ring: '7': KiB, a power of two from 64 to 16384, are needed
 *	/etc/nolisten/eth0.conf:3: --ring: '7': KiB, a power of two from 64 to 16384, are needed
 */
#ifndef NOLISTEN_OPTION_H
#define NOLISTEN_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define OPTION_ERROR_SIZE 256

/* Beside 0 and -errno: all is said and done, as after --help. */
#define OPTION_DONE 1

struct command;
struct option_row;
struct option_settings;

/* While a command line is read. */
struct option_parse {
	const struct command *command;
	void *options; /* what the rows fill */
	char **rest; /* what is behind "--"; NULL: there is none */
	const struct option_row *row; /* whose argument is being taken; NULL: none */
	struct option_settings
		*settings; /* of a command that has a configuration file, else NULL */
	bool is_noting; /* options are noted there, not taken */
	char *error; /* OPTION_ERROR_SIZE bytes */
};

/* arg: NULL if there is none. 0, -errno with a line in parse->error, or OPTION_DONE. */
typedef int (*option_take_fn)(struct option_parse *parse, const struct option_row *row,
			      const char *arg);

struct option_word {
	const char *text;
	int value;
};

/* What a shell offers for an argument, beside its words. */
enum option_offer {
	OFFER_NOTHING,
	OFFER_FILES,
	OFFER_FOLDERS,
	OFFER_INTERFACES,
	OFFER_LIST, /* the words, several of them with commas between */
};

/*
 * An option, or an argument without a name, which is known by its place. A word may end in what it stands for, as in
 * "redirect:IFACE"; the shell offers what is in front of that, and interfaces for IFACE.
 */
struct option_row {
	const char *name; /* NULL: it has none */
	char letter; /* 0: none */
	const char *arg; /* what its argument is called; NULL: there is none */
	const char *help; /* %s in it: the words, or "MIN to MAX" */
	option_take_fn take; /* NULL: end of the table */
	size_t offset, size; /* OPTION_FIELD(): where it goes */
	uint64_t min, max;
	const struct option_word *words; /* ended by NULL */
	const char *(*word_at)(size_t index); /* or those of another table; NULL behind the last */
	enum option_offer offer;
	bool is_optional; /* both --name and --name=ARG */
	bool is_request; /* for something else than the job: not in a configuration file */
	bool is_live; /* a change of it in the file takes effect without a restart */
};

#define OPTION_FIELD(type, member) \
	.offset = offsetof(struct type, member), .size = sizeof(((struct type *)NULL)->member)

#define COMMAND_USAGES 3

/* Exit statuses. */
#define STATUS_DONE 0
#define STATUS_FAILED 1
#define STATUS_USAGE 2

struct command {
	const char *program;
	const char *name; /* of a sub-command, else NULL */
	const char *usages[COMMAND_USAGES + 1]; /* what follows the name; ended by NULL */
	const char *summary; /* among other commands */
	const char *purpose; /* in its own help: whole sentences */
	const struct option_row *options, *arguments; /* arguments may be NULL */
	const struct command *const *commands; /* sub-commands, ended by NULL; or NULL */
	bool has_rest; /* what follows "--" is not ours */
	size_t size; /* of the struct that the rows fill */
	const void *defaults; /* such a struct; NULL: zeros */
	size_t settings_at; /* OPTION_SETTINGS(): where its struct option_settings is; 0: no configuration file */
	int (*check)(struct option_parse *parse); /* what only goes together; NULL: anything */
	void (*print_more)(FILE *out); /* behind the options in the help; may be NULL */
	int (*run)(void *options); /* the exit status; errors are logged */
	void (*release)(void *options); /* what the rows have allocated; may be NULL */
};

/*
 * argv is ended by NULL, its order is changed, and strings are borrowed from it. What a configuration file says counts where
 * the command line does not say it. 0, OPTION_DONE, or -EINVAL or -ENOMEM with a line in error. command->release() in any
 * case.
 */
int command_parse(const struct command *command, void *options, char **argv,
		  char error[OPTION_ERROR_SIZE]);

/* Parse, run and release, the sub-command if there are any; the exit status. */
int command_main(const struct command *command, char **argv);

/* "nolisten meet"; borrowed until the next call. */
const char *command_title(const struct command *command);

/* Word the error. -EINVAL. */
int option_fail(struct option_parse *parse, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
int option_fail_usage(struct option_parse *parse, const char *why); /* why: "" or "which one? " */
/* In front of it the option that is being taken, and its argument. */
int option_refuse(struct option_parse *parse, const char *arg, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int option_fail_memory(struct option_parse *parse); /* -ENOMEM */

/* The kinds of arguments. */
int option_take_flag(struct option_parse *parse, const struct option_row *row, const char *arg);
int option_count_flag(struct option_parse *parse, const struct option_row *row, const char *arg);
int option_take_number(struct option_parse *parse, const struct option_row *row, const char *arg);
int option_take_word(struct option_parse *parse, const struct option_row *row, const char *arg);
int option_take_text(struct option_parse *parse, const struct option_row *row, const char *arg);
int option_take_path(struct option_parse *parse, const struct option_row *row, const char *arg);

/* Rows that several commands have. */
int option_take_help(struct option_parse *parse, const struct option_row *row, const char *arg);
int option_take_version(struct option_parse *parse, const struct option_row *row, const char *arg);
int option_take_completion(struct option_parse *parse, const struct option_row *row,
			   const char *arg);
#define OPTION_HELP                                                                        \
	{                                                                                  \
		"help", 'h', NULL, "print this help", option_take_help, .is_request = true \
	}
#define OPTION_VERSION                                                                             \
	{                                                                                          \
		"version", 'V', NULL, "print the version", option_take_version, .is_request = true \
	}
#define OPTION_COMPLETION                                                                          \
	{                                                                                          \
		"completion", 0, "SHELL", "print a script that completes all this, for %s [bash]", \
			option_take_completion, .words = option_shells, .is_optional = true,       \
						.is_request = true                                 \
	}
extern const struct option_word option_shells[];

/* Rows of arguments. */
#define ARGUMENT_IFACE(type, member)                                                 \
	{                                                                            \
		.arg = "IFACE", .take = option_take_text, .offer = OFFER_INTERFACES, \
		OPTION_FIELD(type, member)                                           \
	}

/* The field that the row fills. */
void *option_field(const struct option_parse *parse, const struct option_row *row);

/* The index-th of what its argument may be, or NULL. */
const char *option_word_at(const struct option_row *row, size_t index);
/* "auto, native, generic", or "1 to 64"; cut if it does not fit. */
void option_list_values(const struct option_row *row, char *text, size_t size);

/* What the help says of it; cut if it does not fit. */
void option_format_help(const struct option_row *row, char *text, size_t size);
void command_print_help(const struct command *command, FILE *out);
/* A line of a list in the help, in its columns. */
void help_print_item(FILE *out, const char *item, const char *text);

/* A script for bash that completes the command and its sub-commands. */
void completion_print(const struct command *command, FILE *out);
/* The same for zsh. */
void completion_print_zsh(const struct command *command, FILE *out);

#endif
