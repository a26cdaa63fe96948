/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One socket, connected to itself; see self_connect.h. */
#include "self_connect.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "clock.h"
#include "log.h"
#include "tcp_open.h"

#define PATIENCE_NS (5 * CLOCK_NS_PER_S)
#define CHUNK 4096

/* -ETIMEDOUT: nothing happened until the deadline. */
static int wait_ready(int fd, short events, uint64_t deadline_ns)
{
	struct pollfd poll_fd = {.fd = fd, .events = events};
	const uint64_t now_ns = clock_monotonic_ns();
	int count;

	if (now_ns >= deadline_ns)
		return -ETIMEDOUT;
	count = poll(&poll_fd, 1, (int)((deadline_ns - now_ns) / CLOCK_NS_PER_MS) + 1);
	if (count < 0)
		return -errno;
	return count ? 0 : -ETIMEDOUT;
}

static const char *connect_error(int err)
{
	switch (err) {
	case -EADDRNOTAVAIL:
		return "a socket has both ends there already, perhaps in TIME-WAIT (see ss -tan)";
	case -ENETUNREACH:
	case -EHOSTUNREACH:
		return "no route to the own address (is lo up?)";
	case -ETIMEDOUT:
		return "timed out: is lo up, does a packet filter drop it?";
	}
	return strerror(-err);
}

static int connect_itself(int fd, const struct endpoint *endpoint)
{
	const uint64_t deadline_ns = clock_monotonic_ns() + PATIENCE_NS;
	char text[ENDPOINT_TEXT_SIZE];
	int err = tcp_connect(fd, endpoint, endpoint);

	if (err == -EINPROGRESS)
		err = wait_ready(fd, POLLOUT, deadline_ns);
	if (!err)
		err = tcp_take_error(fd);
	if (err) {
		endpoint_format(endpoint, text);
		log_error("%s: cannot connect to itself: %s", text, connect_error(err));
	}
	return err;
}

static int read_ends(int fd, struct tuple *out)
{
	struct sockaddr_storage name;
	struct sockaddr *any = (struct sockaddr *)&name;
	socklen_t len = sizeof(name);

	if (getsockname(fd, any, &len) || !endpoint_from_sockaddr(any, &out->local))
		return -errno;
	len = sizeof(name);
	if (getpeername(fd, any, &len) || !endpoint_from_sockaddr(any, &out->remote))
		return -errno;
	return 0;
}

/* The line that ss -t prints of it. */
static int print_socket(int fd)
{
	char local[ENDPOINT_TEXT_SIZE], remote[ENDPOINT_TEXT_SIZE];
	struct tcp_info info;
	socklen_t len = sizeof(info);
	struct tuple ends;
	int err = read_ends(fd, &ends);

	if (!err && getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len))
		err = -errno;
	if (!err && (info.tcpi_state != TCP_ESTABLISHED ||
		     !addr_is_equal(&ends.local.addr, &ends.remote.addr) ||
		     ends.local.port != ends.remote.port))
		err = -ENOTCONN;
	if (err) {
		log_error("self: the socket is not connected to itself: %s", strerror(-err));
		return err;
	}
	endpoint_format(&ends.local, local);
	endpoint_format(&ends.remote, remote);
	printf("State  Local address:port  Peer address:port\nESTAB  %s  %s\n", local, remote);
	return 0;
}

static int send_some(int fd, const char *message, size_t len, size_t *sent)
{
	ssize_t count = 0;

	if (*sent < len)
		count = send(fd, message + *sent, len - *sent, MSG_NOSIGNAL);
	if (count < 0)
		return errno == EAGAIN ? 0 : -errno;
	*sent += (size_t)count;
	return 0;
}

/* Reads what is there; -EBADMSG if it is not what was sent. */
static int check_some(int fd, const char *message, size_t sent, size_t *seen)
{
	char buffer[CHUNK];
	ssize_t count = recv(fd, buffer, sizeof(buffer), 0);

	if (count < 0)
		return errno == EAGAIN ? 0 : -errno;
	if (!count)
		return -EPIPE;
	if ((size_t)count > sent - *seen || memcmp(buffer, message + *seen, (size_t)count))
		return -EBADMSG;
	*seen += (size_t)count;
	return 0;
}

/* Both in turn: a long message does not fit into the buffers at once. */
static int send_and_read_back(int fd, const char *message)
{
	const uint64_t deadline_ns = clock_monotonic_ns() + PATIENCE_NS;
	const size_t len = strlen(message);
	size_t sent = 0, seen = 0;
	int err = 0;

	while (!err && seen < len) {
		err = send_some(fd, message, len, &sent);
		if (!err)
			err = wait_ready(fd, sent < len ? POLLIN | POLLOUT : POLLIN, deadline_ns);
		if (!err)
			err = check_some(fd, message, sent, &seen);
	}
	if (err)
		log_error("self: %zu of %zu bytes came back: %s", seen, len, strerror(-err));
	else
		printf("sent %zu bytes to itself and read them back: %s\n", len, message);
	return err;
}

int self_connect(const struct endpoint *endpoint, const char *message)
{
	int fd = tcp_open(endpoint);
	int err;

	if (fd < 0)
		return fd;
	err = connect_itself(fd, endpoint);
	if (!err)
		err = print_socket(fd);
	if (!err)
		err = send_and_read_back(fd, message);
	tcp_abort(fd);
	return err;
}
