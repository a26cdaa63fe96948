/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "run_accept.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "caller.h"
#include "clock.h"
#include "log.h"

#define BATCH 32

struct parked {
	struct parked *next;
	struct call call;
	uint64_t socket; /* its number */
	uint64_t until_ns; /* SO_RCVTIMEO; 0: for ever */
};

static int flags_of(const struct call *call)
{
	return call->number == __NR_accept4 ? (int)call->arguments[3] : 0;
}

/*
 * What a data plane with parents has made is a socket of IPv6, for IPv4 too. The kernel makes it one of IPv4 where it can; the other way round
 * there is none.
 */
static void fit_family(int family, int fd)
{
	int domain = family;
	socklen_t len = sizeof(domain);

	if (family == AF_INET && !getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) &&
	    domain != family)
		setsockopt(fd, IPPROTO_IPV6, IPV6_ADDRFORM, &family, sizeof(family));
}

/* As a listener of that family says it. */
static socklen_t write_remote(int family, int fd, struct sockaddr_storage *out)
{
	struct sockaddr_storage remote;
	socklen_t len = sizeof(remote);
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
	struct endpoint endpoint;

	if (getpeername(fd, (struct sockaddr *)&remote, &len) ||
	    !endpoint_from_sockaddr((struct sockaddr *)&remote, &endpoint))
		return 0;
	if (family == AF_INET)
		return endpoint_to_sockaddr(&endpoint, 0, out);
	if (remote.ss_family == AF_INET6) {
		*out = remote;
		return len;
	}
	memset(out, 0, sizeof(*out));
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(endpoint.port);
	memcpy(&in6->sin6_addr, endpoint.addr.bytes, sizeof(in6->sin6_addr));
	return sizeof(*in6);
}

static int put_in(struct calls *calls, const struct run_socket *socket, const struct call *call,
		  int fd)
{
	const int flags = flags_of(call), mode = fcntl(fd, F_GETFL) & ~O_NONBLOCK;
	struct sockaddr_storage remote;
	socklen_t len;
	int err = 0;

	fit_family(socket->family, fd);
	if (call->arguments[1]) {
		len = write_remote(socket->family, fd, &remote);
		err = calls_write_result(calls, call, 1, &remote, len);
	}
	fcntl(fd, F_SETFL, mode | (flags & SOCK_NONBLOCK));
	return err ? err : notify_return_fd(calls->notify, call, fd, flags & SOCK_CLOEXEC);
}

/* The dummy goes first: who is served must not find his listener readable because of it. */
static void give(struct calls *calls, struct run_socket *socket, const struct call *call)
{
	int fd = waiting_take(socket->waiting);
	int err = put_in(calls, socket, call, fd);

	if (!err) {
		close(fd);
		return;
	}
	waiting_put_back(socket->waiting, fd);
	if (err != -ENOENT)
		notify_return(calls->notify, call, err);
}

static uint64_t until_of(int fd)
{
	struct timeval limit = {0};
	socklen_t len = sizeof(limit);

	if (getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, &len) ||
	    (!limit.tv_sec && !limit.tv_usec))
		return 0;
	return clock_monotonic_ns() + (uint64_t)limit.tv_sec * CLOCK_NS_PER_S +
	       (uint64_t)limit.tv_usec * CLOCK_NS_PER_US;
}

/* In the order in which they came: behind the others. */
static int park(struct calls *calls, const struct run_socket *socket, const struct call *call)
{
	struct parked *parked = malloc(sizeof(*parked)), **link = &calls->parked;

	if (!parked)
		return -ENOMEM;
	*parked = (struct parked){
		.call = *call, .socket = socket->socket, .until_ns = until_of(socket->fd)};
	while (*link)
		link = &(*link)->next;
	*link = parked;
	return 0;
}

static int answer_now(struct calls *calls, struct run_socket *socket, const struct call *call)
{
	if (flags_of(call) & ~(SOCK_CLOEXEC | SOCK_NONBLOCK))
		return -EINVAL;
	if (waiting_count(socket->waiting)) {
		give(calls, socket, call);
		return 0;
	}
	if (fcntl(socket->fd, F_GETFL) & O_NONBLOCK)
		return -EAGAIN;
	return park(calls, socket, call);
}

void run_accept_answer(struct calls *calls, struct run_socket *socket, const struct call *call)
{
	int err;

	if (!socket || !socket->waiting) {
		notify_continue(calls->notify, call);
		return;
	}
	err = answer_now(calls, socket, call);
	if (err)
		notify_return(calls->notify, call, err);
}

static void unpark(struct parked **link)
{
	struct parked *parked = *link;

	*link = parked->next;
	free(parked);
}

static struct parked **find_parked(struct calls *calls, const struct run_socket *socket)
{
	struct parked **link = &calls->parked;

	while (*link && ((*link)->socket != socket->socket ||
			 !notify_is_waiting(calls->notify, &(*link)->call)))
		link = &(*link)->next;
	return link;
}

static void take_one(struct calls *calls, const struct plane_connection *connection)
{
	struct run_socket *socket =
		run_sockets_find_listener(calls->sockets, &connection->tuple.local);
	struct parked **link;

	if (!socket) {
		close(connection->fd);
		return;
	}
	link = find_parked(calls, socket);
	if (waiting_add(socket->waiting, connection->fd, *link))
		return;
	if (*link) {
		const struct call call = (*link)->call;

		unpark(link);
		give(calls, socket, &call);
	}
}

void run_accept_take(struct calls *calls, struct plane *plane)
{
	struct plane_connection connection;
	int err = 0;

	for (int i = 0; i < BATCH && !err; i++) {
		err = plane_accept(plane, &connection);
		if (!err)
			take_one(calls, &connection);
	}
}

/* 0: it goes on waiting; else its answer, or -ENOENT: nobody waits for one. */
static int end_of(const struct calls *calls, const struct parked *parked, uint64_t now_ns)
{
	if (!notify_is_waiting(calls->notify, &parked->call))
		return -ENOENT;
	if (!run_sockets_find(calls->sockets, parked->socket))
		return -EINVAL;
	if (parked->until_ns && now_ns >= parked->until_ns)
		return -EAGAIN;
	return caller_interruption(parked->call.tid);
}

void run_accept_tick(struct calls *calls)
{
	const uint64_t now_ns = clock_monotonic_ns();
	struct parked **link = &calls->parked;

	while (*link) {
		const int end = end_of(calls, *link, now_ns);

		if (!end) {
			link = &(*link)->next;
			continue;
		}
		if (end != -ENOENT)
			notify_return(calls->notify, &(*link)->call, end);
		unpark(link);
	}
}

bool run_accept_is_needed(const struct calls *calls)
{
	return calls->parked;
}

void run_accept_free(struct calls *calls)
{
	while (calls->parked)
		unpark(&calls->parked);
}
