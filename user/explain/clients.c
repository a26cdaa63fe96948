/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the actors do with ordinary TCP sockets. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "actor.h"
#include "demo_lab.h"

#define GREETING "hello"
#define GREETING_LEN (sizeof(GREETING) - 1)
#define WAIT_S 5

static struct sockaddr_in make_address(const char *text, uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};

	inet_pton(AF_INET, text, &address.sin_addr);
	return address;
}

static int open_socket(const char *text, uint16_t port, int *fd)
{
	const struct sockaddr_in address = make_address(text, port);
	const struct timeval patience = {.tv_sec = WAIT_S};
	const int yes = 1;

	*fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*fd < 0)
		return errno;
	setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	setsockopt(*fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	setsockopt(*fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return bind(*fd, (const struct sockaddr *)&address, sizeof(address)) ? errno : 0;
}

static int connect_to(int fd, const char *text, uint16_t port)
{
	const struct sockaddr_in address = make_address(text, port);

	return connect(fd, (const struct sockaddr *)&address, sizeof(address)) ? errno : 0;
}

static int say_hello(int fd)
{
	return send(fd, GREETING, GREETING_LEN, MSG_NOSIGNAL) < 0 ? errno : 0;
}

static int hear_hello(int fd)
{
	char text[GREETING_LEN];
	const ssize_t len = recv(fd, text, sizeof(text), MSG_WAITALL);

	if (len < 0)
		return errno;
	if (len != sizeof(text) || memcmp(text, GREETING, sizeof(text)) != 0)
		return EPROTO;
	return 0;
}

/* 0 once the other end has closed. */
static int hear_end(int fd)
{
	char byte;
	const ssize_t len = recv(fd, &byte, 1, 0);

	return len < 0 ? errno : len ? EPROTO : 0;
}

int actor_connect(uint16_t port, int cue)
{
	int fd, err = open_socket(DEMO_CLIENT, port, &fd);

	(void)cue;
	return err ? err : connect_to(fd, DEMO_SERVER, ACTOR_SERVER_PORT);
}

int actor_greet(uint16_t port, int cue)
{
	int fd, err = open_socket(DEMO_CLIENT, port, &fd);

	(void)cue;
	if (!err)
		err = connect_to(fd, DEMO_SERVER, ACTOR_SERVER_PORT);
	if (!err)
		err = say_hello(fd);
	if (!err)
		err = hear_hello(fd);
	if (!err && shutdown(fd, SHUT_WR))
		err = errno;
	return err ? err : hear_end(fd);
}

int actor_meet_self(uint16_t port, int cue)
{
	int fd, err = open_socket("127.0.0.1", port, &fd);

	(void)cue;
	if (!err)
		err = connect_to(fd, "127.0.0.1", port);
	if (!err)
		err = say_hello(fd);
	return err ? err : hear_hello(fd);
}

/* connect() without waiting, so that both ends can have begun before the first SYN leaves. */
static int begin_meeting(const char *local, const char *remote, uint16_t port, int *fd)
{
	int err = open_socket(local, port, fd);

	if (!err && fcntl(*fd, F_SETFL, O_NONBLOCK))
		err = errno;
	if (!err)
		err = connect_to(*fd, remote, port);
	return err == EINPROGRESS ? 0 : err;
}

static int end_meeting(int fd)
{
	struct pollfd ready = {.fd = fd, .events = POLLOUT};
	socklen_t size = sizeof(int);
	int err = 0;

	if (poll(&ready, 1, WAIT_S * 1000) != 1)
		return ETIMEDOUT;
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &size);
	if (!err && fcntl(fd, F_SETFL, 0))
		err = errno;
	return err;
}

/*
 * Neither closes before it is told to: a segment that was kept back until then would come when the connection is over,
 * if this process were faster than the one that lets it go.
 */
static int meet(const char *local, const char *remote, uint16_t port, int cue, int *fd)
{
	int err = begin_meeting(local, remote, port, fd);
	char byte;

	if (!err && write(cue, "", 1) != 1)
		err = errno;
	if (!err)
		err = end_meeting(*fd);
	if (!err && read(cue, &byte, 1) != 1)
		err = EPROTO;
	return err;
}

int actor_meet_server(uint16_t port, int cue)
{
	int fd, err = meet(DEMO_SERVER, DEMO_CLIENT, port, cue, &fd);

	return err ? err : hear_end(fd);
}

int actor_meet_client(uint16_t port, int cue)
{
	int fd;

	return meet(DEMO_CLIENT, DEMO_SERVER, port, cue, &fd);
}
