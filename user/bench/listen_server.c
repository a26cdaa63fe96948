/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "listen_server.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "descriptors.h"

#define EVENTS 256

static int watch(int epoll_fd, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

int listen_server_open(uint16_t port, bool is_shared)
{
	struct sockaddr_in6 local = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int one = 1, zero = 0, shared = is_shared, err = 0;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &shared, sizeof(shared)) ||
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero)) ||
	    bind(fd, (struct sockaddr *)&local, sizeof(local)) || listen(fd, LISTEN_SERVER_BACKLOG))
		err = -errno;
	if (err)
		close(fd);
	return err ?: fd;
}

static int accept_listener(void *context)
{
	return accept4(*(int *)context, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

static void take_all(int epoll_fd, const struct connection_source *source)
{
	int fd;

	while ((fd = source->take(source->context)) >= 0) {
		if (watch(epoll_fd, fd))
			close(fd);
	}
}

/* A client of the benchmark has one short message under way: a send that does not fit is the connection's end. */
static void echo(int fd)
{
	char buffer[65536];
	ssize_t len = recv(fd, buffer, sizeof(buffer), 0);

	if (len < 0 && errno == EAGAIN)
		return;
	if (len <= 0 || send(fd, buffer, len, MSG_NOSIGNAL) != len)
		close(fd);
}

static int serve(int epoll_fd, const struct connection_source *source)
{
	struct epoll_event events[EVENTS];

	for (;;) {
		int count = epoll_wait(epoll_fd, events, EVENTS, -1);

		if (count < 0 && errno != EINTR)
			return -errno;
		for (int i = 0; i < count; i++) {
			if (events[i].data.fd == source->fd)
				take_all(epoll_fd, source);
			else
				echo(events[i].data.fd);
		}
	}
}

int listen_server_serve_source(const struct connection_source *source)
{
	int epoll_fd = epoll_create1(EPOLL_CLOEXEC);

	if (epoll_fd < 0)
		return -errno;
	descriptors_raise_limit();
	return watch(epoll_fd, source->fd) ?: serve(epoll_fd, source);
}

int listen_server_serve(int listen_fd)
{
	return listen_server_serve_source(
		&(struct connection_source){listen_fd, accept_listener, &listen_fd});
}

int listen_server_run(uint16_t port)
{
	int listen_fd = listen_server_open(port, false);

	return listen_fd < 0 ? listen_fd : listen_server_serve(listen_fd);
}
