/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* nolisten-loader: see loader_options.c for its options, loader_run.c for what it does. */
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "loader_options.h"
#include "log.h"

/* A standard descriptor that the caller has closed would become a map or a connection, and our text would go there. */
static void fill_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

int main(int argc, char **argv)
{
	(void)argc;
	fill_standard_descriptors();
	signal(SIGCHLD, SIG_DFL); /* who ignores it is not told of the end of a child */
	log_open("nolisten-loader", LOG_INFO);
	return command_main(&loader_command, argv);
}
