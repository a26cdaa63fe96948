/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * banner_client HOST PORT COUNT: COUNT connections one after the other, each to a server that speaks first and closes
 * first, so that every one leaves a TIME-WAIT socket there. Prints "N connections, N bytes".
 */
#include <unistd.h>

#include "tools/tool.h"

#define READ_DEADLINE_S 10

/* Bytes until the server has closed. */
static size_t read_banner(const struct sockaddr_storage *peer, socklen_t peer_len)
{
	const struct timeval deadline = {.tv_sec = READ_DEADLINE_S};
	int fd = socket(peer->ss_family, SOCK_STREAM, 0);
	char buffer[256];
	size_t total = 0;
	ssize_t len;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof(deadline));
	if (connect(fd, (const struct sockaddr *)peer, peer_len))
		fail("connect");
	while ((len = recv(fd, buffer, sizeof(buffer), 0)) > 0)
		total += (size_t)len;
	if (len < 0)
		fail("recv");
	close(fd);
	return total;
}

int main(int argc, char **argv)
{
	struct sockaddr_storage peer;
	unsigned long count;
	socklen_t peer_len;
	size_t bytes = 0;

	if (argc != 4)
		usage("HOST PORT COUNT");
	peer_len = resolve(argv[1], argv[2], &peer);
	count = strtoul(argv[3], NULL, 10);
	for (unsigned long i = 0; i < count; i++)
		bytes += read_banner(&peer, peer_len);
	printf("%lu connections, %zu bytes\n", count, bytes);
	return 0;
}
