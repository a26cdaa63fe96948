/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A descriptor is a place in a table. What is sent lies in the queue of the other end, and fills the sender's buffer for as long
 * as it does (net/unix/af_unix.c). Each socket is watched by one epoll at most, and nothing ever waits.
 */
#include "sockets_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

bool sockets_in_memory;

struct place places[PLACES];
size_t places_used;
static size_t count;

int __real_socket(int domain, int type, int protocol);
int __real_socketpair(int domain, int type, int protocol, int ends[2]);
int __real_bind(int fd, const struct sockaddr *name, socklen_t len);
int __real_listen(int fd, int backlog);
int __real_connect(int fd, const struct sockaddr *name, socklen_t len);
int __real_accept4(int fd, struct sockaddr *name, socklen_t *len, int flags);
int __real_getsockopt(int fd, int level, int name, void *value, socklen_t *len);
ssize_t __real_send(int fd, const void *bytes, size_t len, int flags);
ssize_t __real_sendmsg(int fd, const struct msghdr *message, int flags);
ssize_t __real_recv(int fd, void *bytes, size_t size, int flags);
ssize_t __real_recvmsg(int fd, struct msghdr *message, int flags);
int __real_close(int fd);

bool sockets_choose(const uint8_t *data, size_t len)
{
	unsigned int sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += data[i];
	return sum % 64;
}

size_t sockets_count(void)
{
	return count;
}

struct place *place_find(int fd)
{
	if (fd < FIRST_FD)
		return NULL;
	check(fd < FIRST_FD + PLACES && places[fd - FIRST_FD].kind);
	return &places[fd - FIRST_FD];
}

int place_fd(const struct place *place)
{
	return FIRST_FD + (int)(place - places);
}

bool sockets_is_open(int fd)
{
	if (fd >= FIRST_FD)
		return fd < FIRST_FD + PLACES && places[fd - FIRST_FD].kind;
	return fcntl(fd, F_GETFD) >= 0;
}

struct place *place_take(enum kind kind)
{
	struct place *place = places;

	while (place->kind)
		check(++place < places + PLACES);
	*place = (struct place){.kind = kind};
	place->last = &place->first;
	count++;
	if (places_used <= (size_t)(place - places))
		places_used = (size_t)(place - places) + 1;
	return place;
}

static int fail(int err)
{
	errno = err;
	return -1;
}

static void join(struct place *one, struct place *other)
{
	one->peer = other;
	other->peer = one;
	one->is_connected = other->is_connected = true;
}

int __wrap_socket(int domain, int type, int protocol)
{
	if (!sockets_in_memory || domain != AF_UNIX)
		return __real_socket(domain, type, protocol);
	return place_fd(place_take(SOCKET));
}

int __wrap_socketpair(int domain, int type, int protocol, int ends[2])
{
	struct place *one, *other;

	if (!sockets_in_memory)
		return __real_socketpair(domain, type, protocol, ends);
	one = place_take(SOCKET);
	other = place_take(SOCKET);
	join(one, other);
	ends[0] = place_fd(one);
	ends[1] = place_fd(other);
	return 0;
}

/* The one that has the name. */
static struct place *find_name(const struct sockaddr *name, socklen_t len)
{
	for (struct place *place = places; place < places + places_used; place++)
		if (place->kind && !place->is_connected && place->name_len == len &&
		    !memcmp(&place->name, name, len))
			return place;
	return NULL;
}

/* Names of the abstract namespace only. */
int __wrap_bind(int fd, const struct sockaddr *name, socklen_t len)
{
	struct place *place = place_find(fd);

	if (!place)
		return __real_bind(fd, name, len);
	check(len > sizeof(sa_family_t) && len <= sizeof(place->name));
	check(!((const struct sockaddr_un *)name)->sun_path[0] && !place->name_len);
	if (find_name(name, len))
		return fail(EADDRINUSE);
	memcpy(&place->name, name, len);
	place->name_len = len;
	return 0;
}

int __wrap_listen(int fd, int backlog)
{
	struct place *place = place_find(fd);

	if (!place)
		return __real_listen(fd, backlog);
	place->kind = LISTENER;
	place->backlog = backlog;
	return 0;
}

/* The other end is there before it is accepted, and can be sent to. */
int __wrap_connect(int fd, const struct sockaddr *name, socklen_t len)
{
	struct place *place = place_find(fd), *listener, *other, **last;

	if (!place)
		return __real_connect(fd, name, len);
	listener = find_name(name, len);
	if (!listener || listener->kind != LISTENER)
		return fail(ECONNREFUSED);
	if (listener->wait_count > listener->backlog)
		return fail(EAGAIN);
	other = place_take(SOCKET);
	other->name = listener->name;
	other->name_len = listener->name_len;
	join(place, other);
	for (last = &listener->waiting; *last; last = &(*last)->next_waiting)
		;
	*last = other;
	listener->wait_count++;
	listener->is_pending = true;
	return 0;
}

int __wrap_accept4(int fd, struct sockaddr *name, socklen_t *len, int flags)
{
	struct place *listener = place_find(fd), *place;

	if (!listener)
		return __real_accept4(fd, name, len, flags);
	place = listener->waiting;
	if (!place)
		return fail(EAGAIN);
	listener->waiting = place->next_waiting;
	listener->wait_count--;
	return place_fd(place);
}

int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
	static struct ucred self;

	if (fd < FIRST_FD)
		return __real_getsockopt(fd, level, name, value, len);
	check(place_find(fd)->is_connected);
	if (level != SOL_SOCKET || name != SO_PEERCRED || *len != sizeof(self))
		return fail(ENOPROTOOPT);
	if (!self.pid)
		self = (struct ucred){getpid(), geteuid(), getegid()};
	memcpy(value, &self, sizeof(self));
	return 0;
}

/* What a message takes of the buffer: its head, and its bytes with theirs in a block of the allocator. */
static size_t cost_of(size_t len)
{
	size_t block = 512;

	while (block < len + 320)
		block *= 2;
	return 256 + block;
}

static struct message *spare;

/* One that was read, or another. */
static struct message *take_message(void)
{
	struct message *message = spare;

	if (message) {
		spare = message->next;
		return message;
	}
	message = malloc(sizeof(*message));
	check(message);
	return message;
}

static ssize_t put(struct place *place, const void *bytes, size_t len, size_t fd_count)
{
	struct message *message;

	if (place->err) {
		errno = place->err;
		place->err = 0;
		return -1;
	}
	if (!place->is_connected || place->is_shut)
		return fail(place->is_connected ? EPIPE : ENOTCONN);
	if (place->peer->queued >= SEND_BUFFER)
		return fail(EAGAIN);
	message = take_message();
	check(len <= sizeof(message->bytes));
	message->next = NULL;
	message->len = len;
	message->fd_count = fd_count;
	if (len)
		memcpy(message->bytes, bytes, len);
	place = place->peer;
	*place->last = message;
	place->last = &message->next;
	place->queued += cost_of(len);
	place->is_pending = true;
	return (ssize_t)len;
}

ssize_t __wrap_send(int fd, const void *bytes, size_t len, int flags)
{
	struct place *place = place_find(fd);

	return place ? put(place, bytes, len, 0) : __real_send(fd, bytes, len, flags);
}

static size_t count_rights(const struct msghdr *message)
{
	const struct cmsghdr *head = message->msg_controllen ? message->msg_control : NULL;

	return head ? (head->cmsg_len - CMSG_LEN(0)) / sizeof(int) : 0;
}

ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags)
{
	struct place *place = place_find(fd);

	if (!place)
		return __real_sendmsg(fd, message, flags);
	check(message->msg_iovlen == 1);
	return put(place, message->msg_iov->iov_base, message->msg_iov->iov_len,
		   count_rights(message));
}

static void drop_first(struct place *place)
{
	struct message *message = place->first;

	place->first = message->next;
	if (!place->first)
		place->last = &place->first;
	place->queued -= cost_of(message->len);
	if (place->peer)
		place->peer->is_pending = true;
	message->next = spare;
	spare = message;
}

/* The descriptors, as many as there is room for. */
static void give_rights(const struct message *message, struct msghdr *out)
{
	const size_t room = out->msg_controllen >= CMSG_LEN(0)
				    ? (out->msg_controllen - CMSG_LEN(0)) / sizeof(int)
				    : 0;
	const size_t given = message->fd_count < room ? message->fd_count : room;
	struct cmsghdr *head = out->msg_control;

	out->msg_flags |= given < message->fd_count ? MSG_CTRUNC : 0;
	out->msg_controllen = 0;
	if (!given)
		return;
	*head = (struct cmsghdr){CMSG_LEN(given * sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
	for (size_t i = 0; i < given; i++) {
		const int fd = place_fd(place_take(LENT));

		memcpy(CMSG_DATA(head) + i * sizeof(fd), &fd, sizeof(fd));
	}
	out->msg_controllen = CMSG_SPACE(given * sizeof(int));
}

static ssize_t get(struct place *place, struct msghdr *out, int flags)
{
	struct message *message = place->first;
	const struct iovec *to = out->msg_iov;
	size_t len;

	if (place->err) {
		errno = place->err;
		place->err = 0;
		return -1;
	}
	if (!place->is_connected)
		return fail(ENOTCONN);
	out->msg_flags = 0;
	if (!message && place->is_shut)
		out->msg_controllen = 0;
	if (!message)
		return place->is_shut ? 0 : fail(EAGAIN);
	len = message->len < to->iov_len ? message->len : to->iov_len;
	if (len)
		memcpy(to->iov_base, message->bytes, len);
	if (flags & MSG_TRUNC)
		len = message->len;
	if (!(flags & MSG_PEEK)) {
		give_rights(message, out);
		drop_first(place);
	}
	return (ssize_t)len;
}

ssize_t __wrap_recv(int fd, void *bytes, size_t size, int flags)
{
	struct place *place = place_find(fd);
	struct iovec to = {bytes, size};
	struct msghdr out = {.msg_iov = &to, .msg_iovlen = 1};

	return place ? get(place, &out, flags) : __real_recv(fd, bytes, size, flags);
}

ssize_t __wrap_recvmsg(int fd, struct msghdr *message, int flags)
{
	struct place *place = place_find(fd);

	if (!place)
		return __real_recvmsg(fd, message, flags);
	check(message->msg_iovlen == 1);
	return get(place, message, flags);
}

/* What was not read is news to the other end. */
int __wrap_close(int fd)
{
	struct place *place = place_find(fd), *peer;

	if (!place)
		return __real_close(fd);
	check(place->kind != EPOLL && !place->waiting);
	peer = place->peer;
	place->peer = NULL;
	if (peer) {
		peer->peer = NULL;
		peer->is_shut = peer->is_pending = true;
		peer->err = place->first ? ECONNRESET : peer->err;
	}
	while (place->first)
		drop_first(place);
	place->kind = FREE;
	count--;
	while (places_used && !places[places_used - 1].kind)
		places_used--;
	return 0;
}
