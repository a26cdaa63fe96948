/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Socket options by the names of --sockopt, set and read without the project's own table. */
#ifndef NOLISTEN_TESTS_LISTENER_OPTIONS_H
#define NOLISTEN_TESTS_LISTENER_OPTIONS_H

#include <netinet/in.h>
#include <netinet/tcp.h>

#include "tools/tool.h"

static const struct listener_option {
	const char *name;
	int level, option;
} listener_options[] = {
	{"maxseg", IPPROTO_TCP, TCP_MAXSEG},
	{"rcvbuf", SOL_SOCKET, SO_RCVBUF},
	{"sndbuf", SOL_SOCKET, SO_SNDBUF},
	{"window-clamp", IPPROTO_TCP, TCP_WINDOW_CLAMP},
	{"mark", SOL_SOCKET, SO_MARK},
	{"tos", IPPROTO_IP, IP_TOS},
	{"tclass", IPPROTO_IPV6, IPV6_TCLASS},
	{"priority", SOL_SOCKET, SO_PRIORITY},
	{"nodelay", IPPROTO_TCP, TCP_NODELAY},
	{"notsent-lowat", IPPROTO_TCP, TCP_NOTSENT_LOWAT},
	{"linger2", IPPROTO_TCP, TCP_LINGER2},
	{"keepidle", IPPROTO_TCP, TCP_KEEPIDLE},
	{"keepintvl", IPPROTO_TCP, TCP_KEEPINTVL},
	{"keepcnt", IPPROTO_TCP, TCP_KEEPCNT},
	{"keepalive", SOL_SOCKET, SO_KEEPALIVE},
	{"user-timeout", IPPROTO_TCP, TCP_USER_TIMEOUT},
	{"defer-accept", IPPROTO_TCP, TCP_DEFER_ACCEPT},
	{NULL, 0, 0},
};

static void set_listener_option(int fd, int level, int option, int value)
{
	if (setsockopt(fd, level, option, &value, sizeof(value)))
		fail("setsockopt");
}

/* "NAME=VALUE" on a socket of that family. */
TOOL_UNUSED static void take_listener_option(int fd, int family, const char *text)
{
	const char *value = strchr(text, '=');
	const size_t len = strcspn(text, "=");

	if (!value)
		usage("NAME=VALUE");
	if (!strncmp(text, "congestion", len)) {
		if (setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, value + 1,
			       (socklen_t)strlen(value + 1)))
			fail("congestion");
		return;
	}
	for (const struct listener_option *one = listener_options; one->name; one++)
		if (strlen(one->name) == len && !strncmp(one->name, text, len))
			set_listener_option(fd, one->level, one->option, atoi(value + 1));
	if (family == AF_INET6 && !strncmp(text, "tos", len))
		set_listener_option(fd, IPPROTO_IPV6, IPV6_TCLASS, atoi(value + 1));
}

/* Those of the environment's LISTENER_SOCKOPTS, divided by spaces. */
TOOL_UNUSED static void take_listener_options(int fd, int family)
{
	char *copy = strdup(getenv("LISTENER_SOCKOPTS") ?: ""), *rest = copy, *text;

	while ((text = strsep(&rest, " ")))
		if (*text)
			take_listener_option(fd, family, text);
	free(copy);
}

#endif
