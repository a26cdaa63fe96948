/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "listen_fds.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

#define FIRST_FD 3
#define NAME_SIZE 8 /* "65535:" */

int listen_fds_reserve(size_t count)
{
	const int last = FIRST_FD + (int)count - 1;
	int fd;

	/* What is open there already is of whoever started us, who has it still: COMMAND gets a listener in its place. */
	do {
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		if (fd < 0) {
			log_error("run: --listen-fds: %s", strerror(errno));
			return -errno;
		}
	} while (fd < last);
	return 0;
}

/* The one with the lowest port above this one. */
static const struct run_socket *find_next(const struct run_sockets *sockets, uint32_t above)
{
	const struct run_socket *one = run_sockets_first(sockets), *found = NULL;

	for (; one; one = one->next) {
		const bool is_above = one->state != RUN_RESERVED && one->at.local.port > above;

		if (is_above && (!found || one->at.local.port < found->at.local.port))
			found = one;
	}
	return found;
}

static int set_environment(int count, const char *names)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", (int)getpid());
	if (setenv("LISTEN_PID", number, 1))
		return -errno;
	snprintf(number, sizeof(number), "%d", count);
	return setenv("LISTEN_FDS", number, 1) || setenv("LISTEN_FDNAMES", names, 1) ? -errno : 0;
}

int listen_fds_pass(const struct run_sockets *sockets)
{
	const struct run_socket *socket = find_next(sockets, 0);
	char names[LISTEN_FDS_MAX * NAME_SIZE] = "";
	int count = 0, err = 0;
	size_t len = 0;

	for (; socket && !err && count < LISTEN_FDS_MAX;
	     socket = find_next(sockets, socket->at.local.port), count++) {
		const int flags = fcntl(socket->fd, F_GETFL);

		len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%u", count ? ":" : "",
					socket->at.local.port);
		/* As systemd has them: they block, unless the server says otherwise. */
		fcntl(socket->fd, F_SETFL, flags & ~O_NONBLOCK);
		if (dup2(socket->fd, FIRST_FD + count) < 0)
			err = -errno;
	}
	if (!err)
		err = set_environment(count, names);
	if (err)
		log_error("run: --listen-fds: %s", strerror(-err));
	return err;
}
