/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Any dummy stands for any connection. Somebody else of this host may find the listener: what comes from no dummy of ours is closed. */
#include "waiting.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "addr.h"
#include "sockopts.h"

struct entry {
	struct entry *next;
	int fd;
	int dummy_fd; /* -1: it has none */
	uint16_t dummy_port;
};

struct waiting {
	int listener_fd;
	size_t count, limit;
	struct entry *first, **last;
	struct sockopts inherited;
};

void waiting_refresh(struct waiting *waiting)
{
	sockopts_read(waiting->listener_fd, &waiting->inherited);
}

int waiting_new(struct waiting **out, int listener_fd, int backlog)
{
	struct waiting *waiting = calloc(1, sizeof(*waiting));

	if (!waiting)
		return -ENOMEM;
	/* As with the kernel's: one more than was asked for. */
	*waiting = (struct waiting){
		.listener_fd = listener_fd,
		.limit = (backlog < 0 || backlog > SOMAXCONN ? SOMAXCONN : (size_t)backlog) + 1,
	};
	waiting->last = &waiting->first;
	waiting_refresh(waiting);
	*out = waiting;
	return 0;
}

static void reset(int fd)
{
	const struct linger at_once = {.l_onoff = 1};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(fd);
}

void waiting_free(struct waiting *waiting)
{
	if (!waiting)
		return;
	while (waiting->first) {
		struct entry *entry = waiting->first;

		waiting->first = entry->next;
		reset(entry->fd);
		if (entry->dummy_fd >= 0)
			reset(entry->dummy_fd);
		free(entry);
	}
	free(waiting);
}

size_t waiting_count(const struct waiting *waiting)
{
	return waiting ? waiting->count : 0;
}

static uint16_t port_of(const struct sockaddr_storage *address)
{
	struct endpoint endpoint = {.port = 0};

	endpoint_from_sockaddr((const struct sockaddr *)address, &endpoint);
	return endpoint.port;
}

/* A v4-mapped address is reached from AF_INET6 as well. A byte, for a listener that defers connections without one. */
static int connect_dummy(const struct waiting *waiting, struct entry *entry)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);
	int fd;

	if (getsockname(waiting->listener_fd, (struct sockaddr *)&address, &len))
		return -errno;
	fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&address, len) && errno != EINPROGRESS) {
		const int err = -errno;

		close(fd);
		return err;
	}
	send(fd, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	len = sizeof(address);
	getsockname(fd, (struct sockaddr *)&address, &len);
	entry->dummy_fd = fd;
	entry->dummy_port = port_of(&address);
	return 0;
}

int waiting_add(struct waiting *waiting, int fd, bool has_taker)
{
	struct entry *entry = waiting->count < waiting->limit ? malloc(sizeof(*entry)) : NULL;
	int err = entry ? 0 : -ENOBUFS;

	if (!err) {
		*entry = (struct entry){.fd = fd, .dummy_fd = -1};
		err = has_taker ? 0 : connect_dummy(waiting, entry);
	}
	if (err) {
		free(entry);
		reset(fd);
		return err;
	}
	sockopts_apply(fd, &waiting->inherited, SOCKOPTS_BEFORE_CONNECT, NULL);
	sockopts_apply(fd, &waiting->inherited, SOCKOPTS_CONNECTED, NULL);
	*waiting->last = entry;
	waiting->last = &entry->next;
	waiting->count++;
	return 0;
}

/* What was accepted is the first one's from now on, if it is any dummy of ours. */
static bool give_to_first(struct waiting *waiting, uint16_t port)
{
	struct entry *first = waiting->first, *one = first;
	struct entry swapped;

	while (one && (one->dummy_fd < 0 || one->dummy_port != port))
		one = one->next;
	if (!one)
		return false;
	swapped = *first;
	first->dummy_fd = one->dummy_fd;
	first->dummy_port = one->dummy_port;
	one->dummy_fd = swapped.dummy_fd;
	one->dummy_port = swapped.dummy_port;
	return true;
}

/* Out of the listener's queue. Its descriptor's mode is the program's: ask before. */
static void accept_dummy(struct waiting *waiting)
{
	struct pollfd ready = {.fd = waiting->listener_fd, .events = POLLIN};
	struct sockaddr_storage address;
	bool is_ours = false;

	while (!is_ours && poll(&ready, 1, 0) == 1 && ready.revents & POLLIN) {
		socklen_t len = sizeof(address);
		int fd = accept4(waiting->listener_fd, (struct sockaddr *)&address, &len,
				 SOCK_CLOEXEC);

		if (fd < 0)
			return;
		is_ours = give_to_first(waiting, port_of(&address));
		reset(fd);
	}
}

int waiting_take(struct waiting *waiting)
{
	struct entry *entry = waiting->first;
	int fd;

	if (!entry)
		return -1;
	if (entry->dummy_fd >= 0) {
		accept_dummy(waiting);
		reset(entry->dummy_fd);
	}
	waiting->first = entry->next;
	if (!waiting->first)
		waiting->last = &waiting->first;
	waiting->count--;
	fd = entry->fd;
	free(entry);
	return fd;
}

void waiting_put_back(struct waiting *waiting, int fd)
{
	struct entry *entry = malloc(sizeof(*entry));

	if (entry)
		*entry = (struct entry){.next = waiting->first, .fd = fd, .dummy_fd = -1};
	if (!entry || connect_dummy(waiting, entry)) {
		free(entry);
		reset(fd);
		return;
	}
	if (!waiting->first)
		waiting->last = &entry->next;
	waiting->first = entry;
	waiting->count++;
}
