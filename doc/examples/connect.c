/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Connects to several addresses at once, each by a SYN like that of Windows, and prints what each says of itself.
 *
 *	cc -o connect connect.c $(pkg-config --cflags --libs nolisten) && ./connect 192.0.2.1 fd00::2 22
 */
#include <arpa/inet.h>
#include <errno.h>
#include <nolisten.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX 16

static int start(const char *address, const char *port)
{
	struct nolisten_connect_options options = {
		.timeout_ms = 10000,
		.syn_given = NOLISTEN_SYN_LAYOUT | NOLISTEN_SYN_WINDOW | NOLISTEN_SYN_TTL,
		.syn = {.window = 65535,
			.ttl = 128,
			.option_count = 6,
			.options = {2, 1, 3, 1, 1, 4}},
	};

	if (inet_pton(AF_INET, address, &options.remote.in.sin_addr) == 1)
		options.remote.any.sa_family = AF_INET;
	else if (inet_pton(AF_INET6, address, &options.remote.in6.sin6_addr) == 1)
		options.remote.any.sa_family = AF_INET6;
	options.remote.in.sin_port = htons((uint16_t)atoi(port)); /* in the same place in both */
	return nolisten_connect_start(&options);
}

/* Until its first line, or nothing more, has come. */
static void print(const char *address, int fd, const struct nolisten_syn *syn)
{
	char text[256];
	ssize_t len = recv(fd, text, sizeof(text), 0);

	printf("%s: TTL %u, window %u, %u options; says %.*s\n", address, syn->ttl, syn->window,
	       syn->option_count, len > 0 ? (int)strcspn(text, "\r\n") : 0, text);
}

static void finish(const char *address, struct pollfd *polled)
{
	struct nolisten_connection connection;
	const int fd = nolisten_connect_finish(polled->fd, &connection);

	if (fd == -EINPROGRESS)
		return;
	if (fd < 0)
		printf("%s: %s\n", address, nolisten_why());
	else
		print(address, fd, &connection.syn), close(fd);
	close(polled->fd);
	polled->fd = -1; /* poll() leaves it out */
}

int main(int argc, char **argv)
{
	struct pollfd polled[MAX];
	int count = 0, open = 0;

	for (; count < argc - 2 && count < MAX; count++) {
		polled[count] = (struct pollfd){start(argv[count + 1], argv[argc - 1]), POLLIN, 0};
		if (polled[count].fd < 0)
			printf("%s: %s\n", argv[count + 1], nolisten_why());
	}
	do {
		poll(polled, (nfds_t)count, open ? -1 : 0);
		for (int i = open = 0; i < count; open += polled[i++].fd >= 0)
			if (polled[i].fd >= 0 && polled[i].revents)
				finish(argv[i + 1], &polled[i]);
	} while (open);
	return 0;
}
