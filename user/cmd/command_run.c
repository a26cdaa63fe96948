/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* From a command line to an exit status. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "option.h"

#define TITLE_SIZE 64

const char *command_title(const struct command *command)
{
	static char title[TITLE_SIZE];

	snprintf(title, sizeof(title), "%s%s%s", command->program, command->name ? " " : "",
		 command->name ? command->name : "");
	return title;
}

static int parse(const struct command *command, void *options, char **argv)
{
	char error[OPTION_ERROR_SIZE];
	const int err = command_parse(command, options, argv, error);

	if (err < 0 && command->name)
		log_error("%s: %s", command->name, error);
	else if (err < 0)
		log_error("%s", error);
	return err;
}

static int run(const struct command *command, char **argv)
{
	void *options = calloc(1, command->size ? command->size : 1);
	int err, status;

	if (!options) {
		log_error("out of memory");
		return STATUS_FAILED;
	}
	err = parse(command, options, argv);
	if (!err)
		status = command->run(options);
	else
		status = err == -EINVAL ? STATUS_USAGE : err < 0 ? STATUS_FAILED : STATUS_DONE;
	if (command->release)
		command->release(options);
	free(options);
	return status;
}

/* argv begins with the sub-command's name. */
static int run_one_of(const struct command *command, char **argv)
{
	for (const struct command *const *one = command->commands; *one; one++)
		if (strcmp((*one)->name, argv[0]) == 0)
			return run(*one, argv);
	if (strcmp(argv[0], "help") == 0) {
		command_print_help(command, stdout);
		return STATUS_DONE;
	}
	log_error("'%s': no such command (see %s --help)", argv[0], command_title(command));
	return STATUS_USAGE;
}

int command_main(const struct command *command, char **argv)
{
	if (command->commands && argv[1] && argv[1][0] != '-')
		return run_one_of(command, argv + 1);
	return run(command, argv);
}
