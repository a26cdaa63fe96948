/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* socket(), bind() and connect() on both families. */
#include "tcp_open.h"

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "route.h"

uint32_t tcp_find_scope(const struct addr *addr)
{
	struct ifaddrs *list;
	uint32_t ifindex = 0;

	if (!addr_is_link_local(addr) || getifaddrs(&list))
		return 0;
	for (const struct ifaddrs *one = list; one && !ifindex; one = one->ifa_next) {
		struct endpoint own;

		if (one->ifa_addr && endpoint_from_sockaddr(one->ifa_addr, &own) &&
		    addr_is_equal(&own.addr, addr))
			ifindex = if_nametoindex(one->ifa_name);
	}
	freeifaddrs(list);
	return ifindex;
}

static const char *bind_error(int err)
{
	switch (err) {
	case -EADDRNOTAVAIL:
	case -EINVAL:
		return "not an address of this host";
	case -EDESTADDRREQ:
		return "a broadcast address: TCP connects single hosts";
	case -EADDRINUSE:
		return "another socket has the port (see ss -tanp)";
	case -EACCES:
		return "not permitted: a port this low needs CAP_NET_BIND_SERVICE";
	}
	return strerror(-err);
}

/* Never 0, 1 or 2: if one of these was closed at the start, it is not for the socket to take its place. */
static int make_socket(const struct addr *addr)
{
	const int family = addr_is_v4(addr) ? AF_INET : AF_INET6;
	const int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int other;

	if (fd < 0 || fd > STDERR_FILENO)
		return fd;
	other = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	close(fd);
	return other;
}

int tcp_open(const struct endpoint *local)
{
	const int fd = make_socket(&local->addr);
	const int one = 1;
	char text[ENDPOINT_TEXT_SIZE];
	struct sockaddr_storage name;
	socklen_t len;
	int err;

	endpoint_format(local, text);
	if (fd < 0) {
		err = -errno;
		log_error("%s: cannot make a socket: %s", text, strerror(-err));
		return err;
	}
	len = endpoint_to_sockaddr(local, tcp_find_scope(&local->addr), &name);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	err = bind(fd, (struct sockaddr *)&name, len) ? -errno : 0;
	if (!err && route_is_broadcast(&local->addr))
		err = -EDESTADDRREQ;
	if (!err)
		return fd;
	log_error("%s: cannot bind: %s", text, bind_error(err));
	close(fd);
	return err;
}

int tcp_connect(int fd, const struct endpoint *local, const struct endpoint *remote)
{
	struct sockaddr_storage name;
	socklen_t len = endpoint_to_sockaddr(remote, tcp_find_scope(&local->addr), &name);

	return connect(fd, (struct sockaddr *)&name, len) ? -errno : 0;
}

int tcp_take_error(int fd)
{
	socklen_t len = sizeof(int);
	int error;

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len))
		return -errno;
	return -error;
}

void tcp_abort(int fd)
{
	const struct linger reset = {.l_onoff = 1};

	if (fd < 0)
		return;
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(fd);
}
