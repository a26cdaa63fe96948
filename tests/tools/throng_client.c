/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * throng_client HOST PORT COUNT SOURCE: COUNT connections to an echo service that stay open, 50 from each address from
 * SOURCE on, 1000 of them under way at a time. Prints "N connections at once" when all are up, and then waits for a line; then each
 * sends a byte and reads it back: "N connections alive". After another line, or the end of the input, it goes.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <unistd.h>

#include "tools/tool.h"

#define PER_SOURCE 50
#define UNDER_WAY 1000
#define DEADLINE_MS 30000

static int start(const struct sockaddr_storage *peer, socklen_t peer_len, uint32_t source)
{
	struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(source)};
	int fd = socket(peer->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		fail("socket");
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &(int){1}, sizeof(int));
	if (bind(fd, (struct sockaddr *)&from, sizeof(from)))
		fail("bind");
	if (connect(fd, (const struct sockaddr *)peer, peer_len) && errno != EINPROGRESS)
		fail("connect");
	return fd;
}

static void wait_for(int fd, short events)
{
	struct pollfd poller = {.fd = fd, .events = events};

	if (poll(&poller, 1, DEADLINE_MS) != 1) {
		errno = ETIMEDOUT;
		fail("a connection does not move");
	}
}

static void confirm_connected(int fd)
{
	int err = 0;
	socklen_t len = sizeof(err);

	wait_for(fd, POLLOUT);
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len);
	errno = err;
	if (err)
		fail("connect");
}

static void connect_all(int *fds, size_t count, char **argv)
{
	struct sockaddr_storage peer;
	const socklen_t peer_len = resolve(argv[1], argv[2], &peer);
	struct in_addr first;
	size_t confirmed = 0;

	if (inet_pton(AF_INET, argv[4], &first) != 1)
		usage("HOST PORT COUNT SOURCE");
	for (size_t i = 0; i < count; i++) {
		fds[i] = start(&peer, peer_len, ntohl(first.s_addr) + (uint32_t)(i / PER_SOURCE));
		while (i + 1 - confirmed >= UNDER_WAY)
			confirm_connected(fds[confirmed++]);
	}
	while (confirmed < count)
		confirm_connected(fds[confirmed++]);
}

static size_t ask_all(const int *fds, size_t count)
{
	size_t alive = 0;
	char byte;

	for (size_t i = 0; i < count; i += UNDER_WAY) {
		const size_t end = i + UNDER_WAY < count ? i + UNDER_WAY : count;

		for (size_t k = i; k < end; k++)
			if (send(fds[k], "?", 1, MSG_NOSIGNAL) != 1)
				fail("send");
		for (size_t k = i; k < end; k++) {
			wait_for(fds[k], POLLIN);
			alive += recv(fds[k], &byte, 1, 0) == 1 && byte == '?';
		}
	}
	return alive;
}

static void say(size_t count, const char *what)
{
	printf("%zu connections %s\n", count, what);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	char line[16];
	size_t count;
	int *fds;

	if (argc != 5)
		usage("HOST PORT COUNT SOURCE");
	raise_descriptor_limit();
	count = strtoul(argv[3], NULL, 10);
	fds = calloc(count, sizeof(*fds));
	if (!fds)
		fail("calloc");
	connect_all(fds, count, argv);
	say(count, "at once");
	if (fgets(line, sizeof(line), stdin))
		say(ask_all(fds, count), "alive");
	if (!fgets(line, sizeof(line), stdin))
		clearerr(stdin);
	for (size_t i = 0; i < count; i++)
		close(fds[i]);
	free(fds);
	return 0;
}
