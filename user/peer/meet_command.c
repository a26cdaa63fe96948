/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* dup2() and execvp(). */
#include "meet_command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "meet_socket.h"

static int set_endpoint(const char *addr_name, const char *port_name,
			const struct endpoint *endpoint)
{
	char addr[ADDR_TEXT_SIZE], port[8];

	addr_format(&endpoint->addr, addr);
	snprintf(port, sizeof(port), "%u", endpoint->port);
	return setenv(addr_name, addr, 1) || setenv(port_name, port, 1) ? -errno : 0;
}

static int set_environment(const struct tuple *tuple)
{
	int err = setenv("PROTO", "TCP", 1) ? -errno : 0;

	if (!err)
		err = set_endpoint("TCPLOCALIP", "TCPLOCALPORT", &tuple->local);
	if (!err)
		err = set_endpoint("TCPREMOTEIP", "TCPREMOTEPORT", &tuple->remote);
	return err;
}

int meet_command_exec(char **command, int fd, const struct tuple *tuple)
{
	int err = set_environment(tuple);

	if (!err)
		err = meet_socket_make_blocking(fd);
	if (err)
		return err;
	if (dup2(fd, STDIN_FILENO) < 0 || dup2(fd, STDOUT_FILENO) < 0)
		return -errno;
	execvp(command[0], command);
	return -errno;
}
