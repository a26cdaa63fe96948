/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A configuration file of nolisten-loader. Whatever is in it, there is a line that says what is wrong and where, or the
 * same configuration comes out of what is printed of it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"
#include "loader.h"
#include "loader_options.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* In memory: what is parsed, and what is printed of it. */
static struct file {
	int fd;
	char option[64];
} given, printed;

static void open_file(struct file *file)
{
	file->fd = memfd_create("config", MFD_CLOEXEC);
	check(file->fd >= 0);
	snprintf(file->option, sizeof(file->option), "--config=/proc/self/fd/%d", file->fd);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	open_file(&given);
	open_file(&printed);
	return 0;
}

static void write_file(const struct file *file, const void *text, size_t len)
{
	check(pwrite(file->fd, text, len, 0) == (ssize_t)len && !ftruncate(file->fd, (off_t)len));
}

static int parse(struct loader_options *options, struct file *file, char error[OPTION_ERROR_SIZE])
{
	char *argv[] = {(char *)"nolisten-loader", file->option, (char *)"--print-config", NULL};
	int err;

	err = command_parse(&loader_command, options, argv, error);
	check(memchr(error, '\0', OPTION_ERROR_SIZE));
	check(err == 0 || err == -EINVAL);
	check((err == -EINVAL) == (error[0] != '\0'));
	return err;
}

static char *print(const struct loader_options *options, size_t *len)
{
	char *text;
	FILE *out = open_memstream(&text, len);

	check(out);
	option_settings_print(&loader_command, &options->settings, out);
	check(!fclose(out));
	return text;
}

static void check_round_trip(const struct loader_options *options)
{
	struct loader_options again;
	char error[OPTION_ERROR_SIZE], *text, *text_again;
	size_t len, len_again;

	text = print(options, &len);
	write_file(&printed, text, len);
	/* A megabyte is the most that is read, and comments make it more. */
	if (len <= 1 << 20) {
		check(!parse(&again, &printed, error));
		text_again = print(&again, &len_again);
		check(len == len_again && !memcmp(text, text_again, len));
		check(port_set_count(&again.config.ports) ==
		      port_set_count(&options->config.ports));
		check(again.config.prefix_count == options->config.prefix_count);
		free(text_again);
		loader_command.release(&again);
	}
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct loader_options options;
	char error[OPTION_ERROR_SIZE];

	write_file(&given, data, len);
	if (!parse(&options, &given, error))
		check_round_trip(&options);
	loader_command.release(&options);
	return 0;
}
