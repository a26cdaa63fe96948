/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * crowd_client HOST PORT COUNT: COUNT connections to an echo service, all open at the same time; when the last
 * one is up, each sends a few bytes and reads them back; then all close. Prints "N connections at once".
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <unistd.h>

#include "tools/tool.h"

#define DEADLINE_MS 20000

static const char message[] = "one of many";

static int start(const struct sockaddr_storage *peer, socklen_t peer_len)
{
	int fd = socket(peer->ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (fd < 0)
		fail("socket");
	if (connect(fd, (const struct sockaddr *)peer, peer_len) && errno != EINPROGRESS)
		fail("connect");
	return fd;
}

/* Waits for events on each in turn: the others make progress meanwhile. */
static void wait_for(int fd, short events, uint64_t deadline_ms)
{
	struct pollfd poller = {.fd = fd, .events = events};
	uint64_t now = now_ms();

	if (now >= deadline_ms || poll(&poller, 1, (int)(deadline_ms - now)) != 1) {
		errno = ETIMEDOUT;
		fail("a connection does not move");
	}
}

static void confirm_connected(int fd, uint64_t deadline_ms)
{
	int err = 0;
	socklen_t len = sizeof(err);

	wait_for(fd, POLLOUT, deadline_ms);
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len);
	if (err) {
		errno = err;
		fail("connect");
	}
}

static void read_echo(int fd, uint64_t deadline_ms)
{
	char answer[sizeof(message)];
	size_t have = 0;

	while (have < sizeof(answer)) {
		ssize_t got;

		wait_for(fd, POLLIN, deadline_ms);
		got = recv(fd, answer + have, sizeof(answer) - have, 0);
		if (got <= 0)
			fail("recv");
		have += (size_t)got;
	}
	if (memcmp(answer, message, sizeof(message))) {
		errno = EBADMSG;
		fail("the echo differs");
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_storage peer;
	socklen_t peer_len;
	size_t count;
	int *fds;

	if (argc != 4)
		usage("HOST PORT COUNT");
	raise_descriptor_limit();
	peer_len = resolve(argv[1], argv[2], &peer);
	count = strtoul(argv[3], NULL, 10);
	fds = calloc(count, sizeof(*fds));
	if (!fds)
		fail("calloc");
	for (size_t i = 0; i < count; i++)
		fds[i] = start(&peer, peer_len);
	for (size_t i = 0; i < count; i++)
		confirm_connected(fds[i], now_ms() + DEADLINE_MS);
	printf("%zu connections at once\n", count);
	for (size_t i = 0; i < count; i++)
		if (send(fds[i], message, sizeof(message), MSG_NOSIGNAL) != sizeof(message))
			fail("send");
	for (size_t i = 0; i < count; i++)
		read_echo(fds[i], now_ms() + DEADLINE_MS);
	for (size_t i = 0; i < count; i++)
		close(fds[i]);
	free(fds);
	return 0;
}
