/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * sockopts_of: as a service, whose standard input and output is a connection: tells the remote the socket's options, a
 * line each, and ends once the remote has closed.
 * sockopts_of 4|6 PORT: the same as a listener of that family, with the options of LISTENER_SOCKOPTS set on it. Prints
 * "ready" once it listens.
 */
#include <unistd.h>

#include "tools/listener_options.h"

/* Of the connection: a socket of IPv6 may have one of IPv4. */
static int family_of(int fd)
{
	struct sockaddr_in6 remote = {0};
	socklen_t len = sizeof(remote);

	if (getpeername(fd, (struct sockaddr *)&remote, &len))
		fail("getpeername");
	if (remote.sin6_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&remote.sin6_addr))
		return AF_INET;
	return remote.sin6_family;
}

static void tell(int fd)
{
	char congestion[16] = "", text[4096];
	socklen_t len = sizeof(congestion);
	int value, family = family_of(fd), end = 0;

	getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, congestion, &len);
	end += snprintf(text, sizeof(text), "congestion %s\n", congestion);
	for (const struct listener_option *one = listener_options; one->name; one++) {
		if (one->level == IPPROTO_IPV6 && family != AF_INET6)
			continue;
		if (one->level == IPPROTO_IP && family != AF_INET)
			continue;
		value = 0;
		len = sizeof(value);
		if (getsockopt(fd, one->level, one->option, &value, &len))
			fail(one->name);
		end += snprintf(text + end, sizeof(text) - (size_t)end, "%s %d\n", one->name,
				value);
	}
	if (write(fd, text, (size_t)end) != end)
		fail("write");
	shutdown(fd, SHUT_WR);
	while (read(fd, text, sizeof(text)) > 0)
		;
}

static int listen_on(int family, uint16_t port)
{
	struct sockaddr_in6 any = {.sin6_family = (sa_family_t)family, .sin6_port = htons(port)};
	const socklen_t len =
		family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
	int fd = socket(family, SOCK_STREAM, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	take_listener_options(fd, family);
	if (bind(fd, (struct sockaddr *)&any, len) || listen(fd, 64))
		fail("listen");
	return fd;
}

int main(int argc, char **argv)
{
	int listener, fd;

	if (argc == 1) {
		tell(STDIN_FILENO);
		return 0;
	}
	if (argc != 3)
		usage("[4|6 PORT]");
	listener = listen_on(*argv[1] == '6' ? AF_INET6 : AF_INET, (uint16_t)atoi(argv[2]));
	puts("ready");
	fflush(stdout);
	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		tell(fd);
		close(fd);
	}
	fail("accept");
}
