/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Sends back what it gets, on many connections at a time.
 *
 *	cc -o epoll epoll.c $(pkg-config --cflags --libs nolisten) && ./epoll 8080
 */
#include <errno.h>
#include <nolisten.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <unistd.h>

#define EVENTS 64

static int watch(int epoll_fd, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

/* A client that does not read loses its connection: this is an example. */
static void echo(int fd)
{
	char text[16384];
	ssize_t len = recv(fd, text, sizeof(text), 0);

	if (len < 0 && errno == EAGAIN)
		return;
	if (len <= 0 || send(fd, text, (size_t)len, MSG_NOSIGNAL) != len)
		close(fd);
}

/* All that there are: -EAGAIN ends it, and -ESHUTDOWN the program. */
static int take_connections(int epoll_fd, struct nolisten *nolisten)
{
	int fd;

	while ((fd = nolisten_accept(nolisten, NULL)) >= 0)
		if (watch(epoll_fd, fd))
			close(fd);
	return fd;
}

int main(int argc, char **argv)
{
	struct nolisten_options options = {.ports = argc > 1 ? argv[1] : NULL,
					   .flags = NOLISTEN_NONBLOCK};
	struct epoll_event events[EVENTS];
	struct nolisten *nolisten;
	int epoll_fd = epoll_create1(EPOLL_CLOEXEC), result = 0;

	if (nolisten_open(&nolisten, &options) < 0) {
		fprintf(stderr, "epoll: %s\n", nolisten_why());
		return 1;
	}
	if (epoll_fd < 0 || watch(epoll_fd, nolisten_fd(nolisten))) {
		perror("epoll");
		return 1;
	}
	puts("ready");
	fflush(stdout);
	while (result != -ESHUTDOWN) {
		int count = epoll_wait(epoll_fd, events, EVENTS, -1);

		for (int i = 0; i < count; i++) {
			if (events[i].data.fd == nolisten_fd(nolisten))
				result = take_connections(epoll_fd, nolisten);
			else
				echo(events[i].data.fd);
		}
	}
	nolisten_close(nolisten);
	return 0;
}
