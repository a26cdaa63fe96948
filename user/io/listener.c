/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "listener.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

static int read_number(int fd, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, name, &value, &len) ? -1 : value;
}

static bool is_same_namespace(int fd)
{
	uint64_t its, ours;
	socklen_t len = sizeof(its);
	int own = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool is_same = own >= 0 && !getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &its, &len) &&
		       !getsockopt(own, SOL_SOCKET, SO_NETNS_COOKIE, &ours, &len) && its == ours;

	if (own >= 0)
		close(own);
	return is_same;
}

static int refuse(const char **why, const char *text)
{
	*why = text;
	return -EINVAL;
}

int listener_read(int fd, struct endpoint *out, const char **why)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);
	const int domain = read_number(fd, SO_DOMAIN);

	if ((domain != AF_INET && domain != AF_INET6) ||
	    read_number(fd, SO_PROTOCOL) != IPPROTO_TCP)
		return refuse(why, "no TCP socket");
	if (read_number(fd, SO_ACCEPTCONN) != 1)
		return refuse(why, "it does not listen");
	if (!is_same_namespace(fd))
		return refuse(why, "it is of another network namespace");
	if (getsockname(fd, (struct sockaddr *)&address, &len) ||
	    !endpoint_from_sockaddr((struct sockaddr *)&address, out) ||
	    !addr_is_one_host(&out->addr))
		return refuse(why, "it listens at no single address");
	return 0;
}
