/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A copy of each listener is watched, for run_sockets may close its own at any time: which ones there are is looked at with each
 * question. While COMMAND runs, only the first connection since the last question wakes us (EPOLLONESHOT).
 */
#include "life_watch.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sock_diag.h"

struct watched {
	struct watched *next;
	struct life_watch *watch;
	uint64_t socket; /* its number */
	int fd;
	struct loop_source *source;
	bool is_known; /* it is still one of the run_sockets */
};

struct life_watch {
	struct run_sockets *sockets;
	struct loop *loop;
	void (*come)(void *context);
	void *context;
	struct watched *first;
	bool is_told;
	bool has_come;
};

static uint32_t wanted_events(const struct life_watch *watch)
{
	return watch->is_told ? EPOLLIN : EPOLLIN | EPOLLONESHOT;
}

static void take_come(void *context, uint32_t events)
{
	struct watched *watched = context;
	struct life_watch *watch = watched->watch;

	(void)events;
	watch->has_come = true;
	if (watch->is_told)
		watch->come(watch->context);
}

static void add(struct life_watch *watch, const struct run_socket *socket)
{
	struct watched *watched = calloc(1, sizeof(*watched));

	if (!watched)
		return;
	*watched = (struct watched){.watch = watch, .socket = socket->socket, .is_known = true};
	watched->fd = fcntl(socket->fd, F_DUPFD_CLOEXEC, 0);
	if (watched->fd < 0 || loop_add(watch->loop, watched->fd, wanted_events(watch), take_come,
					watched, &watched->source)) {
		if (watched->fd >= 0)
			close(watched->fd);
		free(watched);
		return;
	}
	watched->next = watch->first;
	watch->first = watched;
}

static struct watched *find(const struct life_watch *watch, uint64_t socket)
{
	struct watched *one = watch->first;

	while (one && one->socket != socket)
		one = one->next;
	return one;
}

static void remove_unknown(struct life_watch *watch)
{
	struct watched **link = &watch->first, *one;

	while ((one = *link)) {
		if (one->is_known) {
			link = &one->next;
			continue;
		}
		*link = one->next;
		loop_remove(one->source);
		close(one->fd);
		free(one);
	}
}

static void update(struct life_watch *watch)
{
	const struct run_socket *socket = run_sockets_first(watch->sockets);

	for (struct watched *one = watch->first; one; one = one->next)
		one->is_known = false;
	for (; socket; socket = socket->next) {
		struct watched *known = find(watch, socket->socket);

		if (socket->state == RUN_RESERVED)
			continue;
		if (known)
			known->is_known = true;
		else
			add(watch, socket);
	}
	remove_unknown(watch);
}

static void rearm(struct life_watch *watch)
{
	update(watch);
	for (struct watched *one = watch->first; one; one = one->next)
		loop_change(one->source, wanted_events(watch));
}

int life_watch_new(struct life_watch **out, struct run_sockets *sockets, struct loop *loop,
		   void (*come)(void *context), void *context)
{
	struct life_watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return -ENOMEM;
	*watch = (struct life_watch){
		.sockets = sockets,
		.loop = loop,
		.come = come,
		.context = context,
	};
	*out = watch;
	return 0;
}

void life_watch_free(struct life_watch *watch)
{
	if (!watch)
		return;
	for (struct watched *one = watch->first; one; one = one->next)
		one->is_known = false;
	remove_unknown(watch);
	free(watch);
}

void life_watch_set(struct life_watch *watch, bool is_told)
{
	watch->is_told = is_told;
	watch->has_come = false;
	rearm(watch);
}

struct search {
	const struct run_sockets *sockets;
	bool is_found;
};

static void compare(void *context, const struct tuple *tuple, uint8_t tcp_state)
{
	struct search *search = context;

	(void)tcp_state;
	if (!search->is_found)
		search->is_found = run_sockets_find_listener(search->sockets, &tuple->local);
}

/* What COMMAND has closed is the kernel's to end. */
static bool has_connection(const struct life_watch *watch)
{
	struct search search = {.sockets = watch->sockets};

	sock_diag_visit(1u << TCP_ESTABLISHED | 1u << TCP_CLOSE_WAIT, compare, &search);
	return search.is_found;
}

bool life_watch_is_busy(struct life_watch *watch)
{
	const bool has_come = watch->has_come;

	watch->has_come = false;
	rearm(watch);
	return has_come || has_connection(watch);
}

/* Whoever had it may have left it blocking. */
static bool has_waiting(int fd)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};

	return poll(&poll_fd, 1, 0) > 0 && poll_fd.revents & POLLIN;
}

void life_watch_reset_waiting(struct life_watch *watch)
{
	const struct linger at_once = {.l_onoff = 1};
	const struct run_socket *socket = run_sockets_first(watch->sockets);

	for (; socket; socket = socket->next) {
		while (socket->state == RUN_KEPT && has_waiting(socket->fd)) {
			int fd = accept4(socket->fd, NULL, NULL, SOCK_CLOEXEC);

			if (fd < 0)
				break;
			setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
			close(fd);
		}
	}
}
