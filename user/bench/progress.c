/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "progress.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

#define WIDTH 30

static void draw_bar(unsigned int percent, const char *what, const char *how)
{
	static const char full[] = "##############################";
	const int len = (int)(percent * WIDTH / 100);

	_Static_assert(sizeof(full) - 1 == WIDTH, "the bar is as long as its text");
	fprintf(stderr, "\r\033[K[%-*.*s] %3u%% %s: %s", WIDTH, len, full, percent, what, how);
}

/* One line for each new contender. */
static void print_line(unsigned int percent, const char *what)
{
	static char last[64];

	if (!strncmp(last, what, sizeof(last) - 1))
		return;
	snprintf(last, sizeof(last), "%s", what);
	log_info("bench: %3u%% %s", percent, what);
}

void progress_show(unsigned int done, unsigned int total, const char *what, const char *how)
{
	const unsigned int percent = total ? done * 100 / total : 0;

	if (isatty(STDERR_FILENO))
		draw_bar(percent, what, how);
	else
		print_line(percent, what);
}

void progress_clear(void)
{
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
}
