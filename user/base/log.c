/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Messages for people, a line each with the program's name in front. */
#include "log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *program_name = "nolisten";
static enum log_level level_shown = LOG_INFO;
static _Thread_local char last_error[1024];

void log_open(const char *program, enum log_level level)
{
	program_name = program;
	level_shown = level;
}

enum log_level log_level(void)
{
	return level_shown;
}

const char *log_last_error(void)
{
	return last_error;
}

/* Libraries end their messages with a newline, and the verifier's have thousands of lines. */
static void print_lines(char *text)
{
	char *line, *rest = text;

	while ((line = strsep(&rest, "\n"))) {
		if (*line)
			dprintf(STDERR_FILENO, "%s: %s\n", program_name, line);
	}
}

void log_vprint(enum log_level level, const char *format, va_list args)
{
	int saved_errno = errno;
	char *text;

	if (level > level_shown)
		return;
	if (vasprintf(&text, format, args) >= 0) {
		if (level == LOG_ERROR)
			snprintf(last_error, sizeof(last_error), "%s", text);
		print_lines(text);
		free(text);
	}
	errno = saved_errno;
}

void log_print(enum log_level level, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_vprint(level, format, args);
	va_end(args);
}
