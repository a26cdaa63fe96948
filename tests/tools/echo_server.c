/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * echo_server PORT [BANNER]: what nolisten is compared with, an ordinary listen()/accept() server on [::] and
 * 0.0.0.0. Echoes, and closes once all is echoed after the client's FIN; with BANNER it sends that, closes its
 * side, and reads until the client closes. Prints "ready" once it listens. Options of LISTENER_SOCKOPTS are set on the
 * listener: see tools/listener_options.h.
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "tools/listener_options.h"

#define BUFFER_SIZE 65536

struct connection {
	int fd;
	bool has_fin;
	size_t start, end; /* of what is read and not yet written */
	uint8_t *buffer;
};

static int epoll_fd;
static const char *banner;

static int listen_on(uint16_t port)
{
	struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	take_listener_options(fd, AF_INET6);
	if (bind(fd, (struct sockaddr *)&any, sizeof(any)) || listen(fd, 4096))
		fail("listen");
	return fd;
}

static void drop(struct connection *connection)
{
	close(connection->fd);
	free(connection->buffer);
	free(connection);
}

/* false: the connection is over. */
static bool write_out(struct connection *connection)
{
	while (connection->start < connection->end) {
		ssize_t sent = send(connection->fd, connection->buffer + connection->start,
				    connection->end - connection->start, MSG_NOSIGNAL);
		if (sent < 0)
			return errno == EAGAIN;
		connection->start += (size_t)sent;
	}
	connection->start = connection->end = 0;
	return !connection->has_fin;
}

static bool read_in(struct connection *connection)
{
	while (connection->end == 0 && !connection->has_fin) {
		ssize_t got = recv(connection->fd, connection->buffer, BUFFER_SIZE, 0);
		if (got < 0)
			return errno == EAGAIN;
		connection->has_fin = got == 0;
		connection->end = banner ? 0 : (size_t)got;
		if (!write_out(connection))
			return false;
	}
	return true;
}

static void take(int fd)
{
	struct connection *connection = calloc(1, sizeof(*connection));
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET};

	if (!connection || !(connection->buffer = malloc(BUFFER_SIZE)))
		fail("malloc");
	connection->fd = fd;
	event.data.ptr = connection;
	if (banner) {
		send(fd, banner, strlen(banner), MSG_NOSIGNAL);
		shutdown(fd, SHUT_WR);
	}
	epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

static void accept_all(int listener)
{
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0)
		take(fd);
}

int main(int argc, char **argv)
{
	struct epoll_event event = {.events = EPOLLIN};
	int listener;

	if (argc < 2 || argc > 3)
		usage("PORT [BANNER]");
	banner = argc == 3 ? argv[2] : NULL;
	raise_descriptor_limit();
	listener = listen_on((uint16_t)atoi(argv[1]));
	epoll_fd = epoll_create1(0);
	epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &event);
	puts("ready");
	fflush(stdout);
	while (epoll_wait(epoll_fd, &event, 1, -1) == 1 || errno == EINTR) {
		struct connection *connection = event.data.ptr;

		if (!connection)
			accept_all(listener);
		else if (!write_out(connection) || !read_in(connection))
			drop(connection);
	}
	return 1;
}
