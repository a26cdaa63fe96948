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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Such a file in memory. */
static int make_file(const void *text, size_t len)
{
	const int fd = memfd_create("config", MFD_CLOEXEC);

	check(fd >= 0 && write(fd, text, len) == (ssize_t)len);
	return fd;
}

static int parse(struct loader_options *options, int fd, char error[OPTION_ERROR_SIZE])
{
	char config[64];
	char *argv[] = {(char *)"nolisten-loader", config, (char *)"--print-config", NULL};
	int err;

	snprintf(config, sizeof(config), "--config=/proc/self/fd/%d", fd);
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
	int fd;

	text = print(options, &len);
	fd = make_file(text, len);
	/* A megabyte is the most that is read, and comments make it more. */
	if (len <= 1 << 20) {
		check(!parse(&again, fd, error));
		text_again = print(&again, &len_again);
		check(len == len_again && !memcmp(text, text_again, len));
		check(port_set_count(&again.config.ports) ==
		      port_set_count(&options->config.ports));
		check(again.config.prefix_count == options->config.prefix_count);
		free(text_again);
		loader_command.release(&again);
	}
	free(text);
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct loader_options options;
	char error[OPTION_ERROR_SIZE];
	const int fd = make_file(data, len);

	if (!parse(&options, fd, error))
		check_round_trip(&options);
	loader_command.release(&options);
	close(fd);
	return 0;
}
