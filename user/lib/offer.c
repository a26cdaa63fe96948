/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What is said to the loader, and by it, once it has been asked: listeners of the application's own, each with an answer; and
 * unasked the loader's, lent once more.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "fd_message.h"
#include "lib.h"

/* Into its place; others may be about to call accept4() there, of the old one or of this one. */
static void adopt_one(struct nolisten *nolisten, uint32_t i, int fd)
{
	struct epoll_event event = {.events = EPOLLIN};
	int *place = &nolisten->fds[nolisten->data_count + i];

	if (i >= nolisten->parent_count) {
		*place = fd;
	} else {
		epoll_ctl(nolisten->epoll_fd, EPOLL_CTL_DEL, *place, NULL);
		dup3(fd, *place, O_CLOEXEC);
		close(fd);
	}
	event.data.fd = *place;
	epoll_ctl(nolisten->epoll_fd, EPOLL_CTL_ADD, *place, &event);
}

static void adopt(struct nolisten *nolisten, const int *fds, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		adopt_one(nolisten, i, fds[i]);
	if (count > nolisten->parent_count)
		__atomic_store_n(&nolisten->parent_count, count, __ATOMIC_RELEASE);
}

/* Of the message that is there; with the lock. 1: it is the answer to a question, 0: it was none, or -errno. */
static int hear_one(struct nolisten *nolisten, struct app_reply *reply)
{
	int fds[APP_DESCRIPTORS];
	size_t count;
	ssize_t len = fd_message_receive(nolisten->control_fd, reply, sizeof(*reply), fds,
					 APP_DESCRIPTORS, &count);

	if (len < 0)
		return (int)len;
	if (len == sizeof(*reply) && reply->magic == APP_MAGIC && reply->kind == APP_LENT &&
	    count == reply->parent_count && nolisten->data_count + count <= APP_DESCRIPTORS) {
		adopt(nolisten, fds, (uint32_t)count);
		return 0;
	}
	fd_message_close(fds, count);
	if (!len)
		return -ESHUTDOWN;
	if (len == sizeof(*reply) && reply->magic == APP_MAGIC && reply->kind == APP_WOKEN) {
		nolisten->is_woken = true;
		return 0;
	}
	reply->why[sizeof(reply->why) - 1] = '\0';
	return len == sizeof(*reply) && reply->magic == APP_MAGIC ? 1 : -EPROTO;
}

void lib_hear(struct nolisten *nolisten)
{
	struct app_reply reply;

	pthread_mutex_lock(&nolisten->lock);
	while (hear_one(nolisten, &reply) >= 0)
		;
	pthread_mutex_unlock(&nolisten->lock);
}

static int await_answer(struct nolisten *nolisten)
{
	struct pollfd poll_fd = {.fd = nolisten->control_fd, .events = POLLIN};
	struct app_reply reply;
	int heard = 0, ready;

	while (heard == 0 || heard == -EAGAIN) {
		ready = poll(&poll_fd, 1, LIB_ANSWER_MS);
		if (ready < 0 && errno == EINTR)
			continue;
		if (ready <= 0)
			return ready ? -errno : -ETIMEDOUT;
		heard = hear_one(nolisten, &reply);
	}
	if (heard < 0)
		return heard;
	if (reply.kind == APP_DONE)
		return 0;
	return reply.kind == APP_REFUSED && reply.err < 0 ? lib_fail(reply.err, "", reply.why)
							  : -EPROTO;
}

int lib_tell(struct nolisten *nolisten, const struct app_endpoint *endpoint, int parent)
{
	int err;

	lib_fail(0, "", "");
	pthread_mutex_lock(&nolisten->lock);
	err = fd_message_send(nolisten->control_fd, endpoint, sizeof(*endpoint), &parent,
			      endpoint->kind == APP_OFFER && !endpoint->is_waiting);
	if (!err)
		err = await_answer(nolisten);
	pthread_mutex_unlock(&nolisten->lock);
	if (err == -EPIPE || err == -ECONNRESET)
		err = -ESHUTDOWN;
	if (err && !*nolisten_why())
		lib_fail(err, "", err == -ESHUTDOWN ? "the loader has gone" : strerror(-err));
	return err;
}

static void map_v4(uint8_t out[16], const struct in_addr *addr)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	memcpy(out, mapped, sizeof(mapped));
	memcpy(out + 12, addr, 4);
}

static int read_sockaddr(const struct sockaddr *from, socklen_t len, uint8_t addr[16],
			 uint16_t *port)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)from;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)from;

	if (len >= sizeof(*in) && from->sa_family == AF_INET) {
		map_v4(addr, &in->sin_addr);
		*port = ntohs(in->sin_port);
		return 0;
	}
	if (len < sizeof(*in6) || from->sa_family != AF_INET6)
		return -EINVAL;
	memcpy(addr, &in6->sin6_addr, 16);
	*port = ntohs(in6->sin6_port);
	return 0;
}

static int read_endpoint(struct app_endpoint *out, enum app_kind kind, const struct sockaddr *local,
			 socklen_t len)
{
	*out = (struct app_endpoint){.magic = APP_MAGIC, .kind = kind};
	if (read_sockaddr(local, len, out->addr, &out->port) || !out->port)
		return lib_fail(-EINVAL, "", "an IPv4 or IPv6 address with a port is needed");
	return 0;
}

LIB_EXPORT int nolisten_offer(struct nolisten *nolisten, const struct sockaddr *local,
			      socklen_t len, int parent, unsigned int flags)
{
	struct app_endpoint endpoint;
	int err = read_endpoint(&endpoint, APP_OFFER, local, len);

	if (!err && flags & ~NOLISTEN_V6ONLY)
		err = lib_fail(-EINVAL, "", "flags that this library does not know");
	endpoint.is_v6only = flags & NOLISTEN_V6ONLY;

	return err ?: lib_tell(nolisten, &endpoint, parent);
}

LIB_EXPORT int nolisten_withdraw(struct nolisten *nolisten, const struct sockaddr *local,
				 socklen_t len, int parent)
{
	struct sockaddr_storage at;
	struct app_endpoint endpoint;
	socklen_t at_len = sizeof(at);
	int err = read_endpoint(&endpoint, APP_WITHDRAW, local, len);

	if (!err && parent >= 0 &&
	    (getsockname(parent, (struct sockaddr *)&at, &at_len) ||
	     read_sockaddr((struct sockaddr *)&at, at_len, endpoint.parent_addr,
			   &endpoint.parent_port)))
		err = lib_fail(-EINVAL, "", "the listener is no TCP socket");
	return err ?: lib_tell(nolisten, &endpoint, -1);
}

int lib_await(struct nolisten *nolisten, const struct sockaddr *local, socklen_t len, bool is_on)
{
	struct app_endpoint endpoint;
	int err = read_endpoint(&endpoint, is_on ? APP_OFFER : APP_WITHDRAW, local, len);

	endpoint.is_waiting = 1;
	return err ?: lib_tell(nolisten, &endpoint, -1);
}

bool lib_was_woken(struct nolisten *nolisten)
{
	bool was_woken;

	pthread_mutex_lock(&nolisten->lock);
	was_woken = nolisten->is_woken;
	nolisten->is_woken = false;
	pthread_mutex_unlock(&nolisten->lock);
	return was_woken;
}
