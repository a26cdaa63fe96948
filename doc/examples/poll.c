/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Says who you are and closes, one connection after the other.
 *
 *	cc -o poll poll.c $(pkg-config --cflags --libs nolisten) && ./poll 8080
 */
#include <arpa/inet.h>
#include <errno.h>
#include <nolisten.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void format(const union nolisten_address *address, char *text, size_t size)
{
	char host[INET6_ADDRSTRLEN];
	const int is_v4 = address->any.sa_family == AF_INET;
	const void *bytes =
		is_v4 ? (const void *)&address->in.sin_addr : (const void *)&address->in6.sin6_addr;

	inet_ntop(address->any.sa_family, bytes, host, sizeof(host));
	/* The port has the same place in both. */
	snprintf(text, size, is_v4 ? "%s:%u" : "[%s]:%u", host, ntohs(address->in.sin_port));
}

static void greet(int fd, const struct nolisten_connection *connection)
{
	char remote[64], local[64], text[256];
	int len;

	format(&connection->remote, remote, sizeof(remote));
	format(&connection->local, local, sizeof(local));
	len = snprintf(text, sizeof(text), "you are %s, this is %s\n", remote, local);
	if (connection->has_syn)
		len += snprintf(text + len, sizeof(text) - (size_t)len,
				"your SYN: TTL %u, window %u, MSS %u, %u options\n",
				connection->syn.ttl, connection->syn.window, connection->syn.mss,
				connection->syn.option_count);
	send(fd, text, (size_t)len, MSG_NOSIGNAL);
}

int main(int argc, char **argv)
{
	struct nolisten_options options = {.ports = argc > 1 ? argv[1] : NULL};
	struct nolisten_connection connection;
	struct nolisten *nolisten;
	struct pollfd poll_fd = {.events = POLLIN};
	int fd = nolisten_open(&nolisten, &options);

	if (fd < 0) {
		fprintf(stderr, "poll: %s\n", nolisten_why());
		return 1;
	}
	poll_fd.fd = nolisten_fd(nolisten);
	puts("ready");
	fflush(stdout);
	do {
		poll(&poll_fd, 1, -1);
		fd = nolisten_accept(nolisten, &connection);
		if (fd >= 0) {
			greet(fd, &connection);
			close(fd);
		}
	} while (fd != -ESHUTDOWN);
	nolisten_close(nolisten);
	return 0;
}
