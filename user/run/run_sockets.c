/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A list: a server has few listeners. */
#include "run_sockets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "caller.h"
#include "hiding.h"
#include "log.h"

/* What is on its way to another process over a unix socket nobody has for a moment. */
#define MISSED_ENOUGH 2

struct run_sockets {
	struct run_sockets_options options;
	struct addr hidden; /* for AF_INET6 */
	struct run_socket *first;
};

int run_sockets_new(struct run_sockets **out, const struct run_sockets_options *options)
{
	struct run_sockets *sockets = calloc(1, sizeof(*sockets));
	int err = sockets ? hidden_choose(&sockets->hidden) : -ENOMEM;

	if (err) {
		free(sockets);
		return err;
	}
	sockets->options = *options;
	*out = sockets;
	return 0;
}

static void close_if_open(int fd)
{
	if (fd >= 0)
		close(fd);
}

static void unlink_socket(struct run_sockets *sockets, const struct run_socket *socket)
{
	struct run_socket **link = &sockets->first;

	while (*link != socket)
		link = &(*link)->next;
	*link = socket->next;
	for (struct run_socket *one = sockets->first; one; one = one->next)
		if (one->kept == socket)
			one->kept = NULL;
}

static void free_socket(struct run_socket *socket)
{
	waiting_free(socket->waiting);
	close_if_open(socket->fd);
	close_if_open(socket->reservation_fd);
	free(socket);
}

static int parent_of(const struct run_sockets *sockets, const struct run_socket *socket)
{
	return sockets->options.needs_descriptors ? -1 : socket->fd;
}

static bool is_same_endpoint(const struct plane_endpoint *a, const struct plane_endpoint *b)
{
	return a->local.port == b->local.port && a->is_v6only == b->is_v6only &&
	       addr_is_equal(&a->local.addr, &b->local.addr);
}

/* Without parents several listeners of one endpoint are one to the plane. */
static bool is_shared(const struct run_sockets *sockets, const struct run_socket *socket)
{
	const struct run_socket *one = sockets->first;

	while (one && (one == socket || one->state == RUN_RESERVED ||
		       one->at.is_v6only != socket->at.is_v6only ||
		       one->at.local.port != socket->at.local.port ||
		       !addr_is_equal(&one->at.local.addr, &socket->at.local.addr)))
		one = one->next;
	return one;
}

void run_sockets_drop(struct run_sockets *sockets, struct run_socket *socket)
{
	unlink_socket(sockets, socket);
	if (socket->state != RUN_RESERVED &&
	    (!sockets->options.needs_descriptors || !is_shared(sockets, socket)))
		plane_forget(sockets->options.plane, &socket->at, parent_of(sockets, socket));
	free_socket(socket);
}

void run_sockets_free(struct run_sockets *sockets)
{
	if (!sockets)
		return;
	while (sockets->first)
		run_sockets_drop(sockets, sockets->first);
	free(sockets);
}

struct run_socket *run_sockets_first(const struct run_sockets *sockets)
{
	return sockets->first;
}

struct run_socket *run_sockets_find(const struct run_sockets *sockets, uint64_t socket)
{
	struct run_socket *one = sockets->first;

	while (one && one->socket != socket)
		one = one->next;
	return one;
}

/* How well it fits: an address rather than any, the family's any rather than one of both; 0: not at all. */
static int fits(const struct run_socket *socket, const struct endpoint *local)
{
	const bool is_v4 = addr_is_v4(&local->addr);

	if (socket->state == RUN_RESERVED || socket->at.local.port != local->port)
		return 0;
	if (addr_is_equal(&socket->at.local.addr, &local->addr))
		return 3;
	if (!addr_is_unspecified(&socket->at.local.addr))
		return 0;
	if (addr_is_v4(&socket->at.local.addr) == is_v4)
		return 2;
	return is_v4 && !socket->at.is_v6only ? 1 : 0;
}

struct run_socket *run_sockets_find_listener(const struct run_sockets *sockets,
					     const struct endpoint *local)
{
	struct run_socket *best = NULL;
	int best_fits = 0;

	for (struct run_socket *one = sockets->first; one; one = one->next) {
		const int here = fits(one, local);

		if (!here || here < best_fits)
			continue;
		/* Of several workers the one that has the fewest. */
		if (here == best_fits &&
		    waiting_count(one->waiting) >= waiting_count(best->waiting))
			continue;
		best = one;
		best_fits = here;
	}
	return best;
}

static bool is_same_place(const struct run_socket *a, const struct run_socket *b)
{
	return a->family == b->family && is_same_endpoint(&a->at, &b->at);
}

/* One that is kept, and that no other socket of this COMMAND is to get. */
static struct run_socket *find_kept(const struct run_sockets *sockets,
				    const struct run_socket *socket)
{
	for (struct run_socket *one = sockets->first; one; one = one->next) {
		const struct run_socket *other = sockets->first;

		if (one->state != RUN_KEPT || !is_same_place(one, socket))
			continue;
		while (other && other->kept != one)
			other = other->next;
		if (!other)
			return one;
	}
	return NULL;
}

static int claim(struct run_sockets *sockets, struct run_socket *socket,
		 const struct sockaddr_storage *address, socklen_t len)
{
	socket->kept = find_kept(sockets, socket);
	return socket->kept ? 0 : hiding_reserve(socket->fd, address, len, &socket->reservation_fd);
}

/* Who has it may have closed it a moment ago. */
static int claim_or_sweep(struct run_sockets *sockets, struct run_socket *socket,
			  const struct sockaddr_storage *address, socklen_t len)
{
	int err = claim(sockets, socket, address, len);

	if (err != -EADDRINUSE)
		return err;
	for (unsigned int i = 0; i < MISSED_ENOUGH; i++)
		run_sockets_sweep(sockets, false);
	return claim(sockets, socket, address, len);
}

static void describe(struct run_socket *socket, const struct sockaddr_storage *address,
		     socklen_t len)
{
	socket->believed = *address;
	socket->believed_len = len;
	endpoint_from_sockaddr((const struct sockaddr *)address, &socket->at.local);
	socket->at.is_v6only = hiding_is_v6only(socket->fd);
}

int run_sockets_reserve(struct run_sockets *sockets, uint64_t number, int fd,
			const struct sockaddr_storage *address, socklen_t len,
			struct run_socket **out)
{
	struct run_socket *socket = calloc(1, sizeof(*socket));
	int err;

	if (!socket)
		return -ENOMEM;
	*socket = (struct run_socket){.socket = number, .fd = fd, .reservation_fd = -1};
	socket->family = hiding_family(fd);
	describe(socket, address, len);
	err = claim_or_sweep(sockets, socket, address, len);
	if (err) {
		free(socket);
		return err;
	}
	if (socket->kept) {
		socket->believed = socket->kept->believed;
		socket->believed_len = socket->kept->believed_len;
	} else {
		socket->believed_len = sizeof(socket->believed);
		getsockname(socket->reservation_fd, (struct sockaddr *)&socket->believed,
			    &socket->believed_len);
		describe(socket, &socket->believed, socket->believed_len);
	}
	socket->next = sockets->first;
	sockets->first = socket;
	*out = socket;
	return 0;
}

static int hide(struct run_sockets *sockets, struct run_socket *socket)
{
	int err;

	if (socket->is_hidden)
		return 0;
	if (sockets->options.needs_descriptors)
		err = hiding_bind_loopback(socket->fd);
	else
		err = hiding_bind(socket->fd, &sockets->hidden);
	socket->is_hidden = !err;
	if (err)
		log_error("run: cannot hide the listener of port %u: %s%s", socket->at.local.port,
			  strerror(-err), err == -EADDRNOTAVAIL ? " (is lo up?)" : "");
	return err;
}

static int answer(struct run_sockets *sockets, struct run_socket *socket)
{
	char text[ENDPOINT_TEXT_SIZE];
	int err = plane_answer(sockets->options.plane, &socket->at, parent_of(sockets, socket));

	if (!err)
		return 0;
	endpoint_format(&socket->at.local, text);
	log_error("run: cannot answer %s: %s", text, plane_why(sockets->options.plane));
	return err;
}

int run_sockets_listen(struct run_sockets *sockets, struct run_socket *socket, int backlog)
{
	int err = hide(sockets, socket);

	if (!err && listen(socket->fd, backlog))
		err = -errno;
	if (!err && sockets->options.needs_descriptors && !socket->waiting)
		err = waiting_new(&socket->waiting, socket->fd, backlog);
	if (!err)
		err = answer(sockets, socket);
	if (!err)
		socket->state = RUN_LISTENING;
	else if (socket->is_hidden)
		shutdown(socket->fd, SHUT_RDWR);
	return err;
}

int run_sockets_give_up(struct run_sockets *sockets, struct run_socket *socket)
{
	int err = 0;

	close_if_open(socket->reservation_fd);
	socket->reservation_fd = -1;
	if (bind(socket->fd, (struct sockaddr *)&socket->believed, socket->believed_len))
		err = -errno;
	run_sockets_drop(sockets, socket);
	return err;
}

int run_sockets_make(struct run_sockets *sockets, int family, const struct plane_endpoint *at,
		     int backlog, struct run_socket **out)
{
	struct sockaddr_storage address;
	char text[ENDPOINT_TEXT_SIZE];
	struct run_socket *socket;
	socklen_t len;
	int fd = -1, err = hiding_open(family, at, &fd, &address, &len);

	if (!err)
		err = run_sockets_reserve(sockets, 0, fd, &address, len, &socket);
	if (err) {
		endpoint_format(&at->local, text);
		log_error("run: cannot have %s: %s", text, strerror(-err));
		close_if_open(fd);
		return err;
	}
	socket->socket = caller_socket(getpid(), fd);
	err = run_sockets_listen(sockets, socket, backlog);
	if (err) {
		run_sockets_drop(sockets, socket);
		return err;
	}
	socket->state = RUN_KEPT;
	*out = socket;
	return 0;
}

void run_sockets_adopt(struct run_socket *kept)
{
	kept->state = RUN_LISTENING;
	kept->missed = 0;
}

static bool has_holder(struct run_socket *socket)
{
	if (caller_socket(socket->holder_tid, socket->holder_fd) == socket->socket)
		return true;
	return !caller_find_holder(socket->socket, &socket->holder_tid, &socket->holder_fd);
}

static void lose(struct run_sockets *sockets, struct run_socket *socket)
{
	const struct run_sockets_options *options = &sockets->options;

	if (socket->state == RUN_LISTENING && options->is_kept &&
	    options->is_kept(options->context, socket))
		socket->state = RUN_KEPT;
	else
		run_sockets_drop(sockets, socket);
}

void run_sockets_sweep(struct run_sockets *sockets, bool is_over)
{
	struct run_socket *next;

	for (struct run_socket *one = sockets->first; one; one = next) {
		next = one->next;
		if (one->state == RUN_KEPT)
			continue;
		one->missed = has_holder(one) ? 0 : one->missed + 1;
		if (one->missed >= MISSED_ENOUGH || (is_over && one->missed))
			lose(sockets, one);
	}
}

void run_sockets_answer_again(struct run_sockets *sockets)
{
	for (struct run_socket *one = sockets->first; one; one = one->next)
		if (one->state != RUN_RESERVED)
			answer(sockets, one);
}

bool run_sockets_in_use(const struct run_sockets *sockets)
{
	for (const struct run_socket *one = sockets->first; one; one = one->next)
		if (one->state != RUN_KEPT)
			return true;
	return false;
}
