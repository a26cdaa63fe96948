/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The sockets in memory that other targets have (sockets.h) beside the kernel's: whatever is done to both, both say the same.
 * The input is a list of acts: a byte that says whose, one that says what, and its arguments; what is missing is 0.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "check.h"
#include "fd_message.h"
#include "input.h"
#include "own_netns.h"
#include "sockets.h"

#define MAX_ACTS 48
#define SLOTS 6
#define LISTENER SLOTS /* its place in what epoll tells */
#define BACKLOG 1

static const struct sockaddr_un name = {AF_UNIX, "\0nolisten-fuzz"};
#define NAME_LEN ((socklen_t)(offsetof(struct sockaddr_un, sun_path) + 14))

static struct world {
	int listener, epoll;
	int fds[SLOTS];
} worlds[2];

/* What a call has said. */
struct said {
	ssize_t got;
	int err;
	size_t count; /* descriptors that came, calls that were right */
	char bytes[256];
	uint32_t events[SLOTS + 1];
};

/* An act, the same for both. */
struct what {
	uint8_t slot, other, kind, size, flags;
	char bytes[256];
	size_t len;
};

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void watch(const struct world *world, int what, int slot, int fd, uint32_t events,
		  struct said *said)
{
	struct epoll_event event = {.events = events, .data.u32 = (uint32_t)slot};

	said->got = epoll_ctl(world->epoll, what, fd, &event);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct said said;

	(void)argc;
	(void)argv;
	if (!own_netns_enter())
		_exit(1);
	for (int i = 0; i < 2; i++) {
		struct world *world = &worlds[i];

		sockets_in_memory = i;
		world->epoll = epoll_create1(EPOLL_CLOEXEC);
		world->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);
		check(!bind(world->listener, (const struct sockaddr *)&name, NAME_LEN));
		check(!listen(world->listener, BACKLOG));
		watch(world, EPOLL_CTL_ADD, LISTENER, world->listener, EPOLLIN | EPOLLET, &said);
		check(!said.got);
		memset(world->fds, -1, sizeof(world->fds));
	}
	return 0;
}

static void leave(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void come(int *fd, struct said *said)
{
	leave(fd);
	*fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);
	said->got = connect(*fd, (const struct sockaddr *)&name, NAME_LEN);
}

static void take(const struct world *world, int *fd, struct said *said)
{
	leave(fd);
	*fd = accept4(world->listener, NULL, NULL, SOCK_NONBLOCK);
	said->got = *fd < 0 ? -1 : 0;
}

static void pair(int *one, int *other, struct said *said)
{
	int ends[2];

	leave(one);
	leave(other);
	said->got = socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends);
	*one = ends[0];
	*other = ends[1];
}

static void send_to(int fd, const struct what *what, struct said *said)
{
	const int fds[2] = {STDERR_FILENO, STDERR_FILENO};
	const int err = fd_message_send(fd, what->bytes, what->len, fds, what->flags % 3);

	said->got = err ? -1 : 0;
}

static void hear(int fd, const struct what *what, struct said *said)
{
	int fds[FD_MESSAGE_MAX];

	said->got =
		fd_message_receive(fd, said->bytes, what->size, fds, what->flags % 3, &said->count);
	if (said->got < 0)
		said->got = -1;
	for (size_t i = 0; i < said->count; i++)
		check(sockets_is_open(fds[i]));
	fd_message_close(fds, said->count);
}

static void peek(int fd, const struct what *what, struct said *said)
{
	said->got = recv(fd, said->bytes, what->size,
			 MSG_DONTWAIT | (what->flags & 1 ? MSG_PEEK : 0) |
				 (what->flags & 2 ? MSG_TRUNC : 0));
}

/* Until nothing goes in any more. */
static void fill(int fd, const struct what *what, struct said *said)
{
	while ((said->got = send(fd, what->bytes, what->len, MSG_DONTWAIT | MSG_NOSIGNAL)) >= 0)
		check(said->count++ < 10000);
}

static void wait_for_all(const struct world *world, struct said *said)
{
	struct epoll_event events[SLOTS + 1];

	said->got = epoll_wait(world->epoll, events, SLOTS + 1, 0);
	for (ssize_t i = 0; i < said->got; i++)
		said->events[events[i].data.u32] = events[i].events;
}

static void act(struct world *world, const struct what *what, struct said *said)
{
	static const int changes[] = {EPOLL_CTL_ADD, EPOLL_CTL_MOD, EPOLL_CTL_DEL};
	int *fd = &world->fds[what->slot];

	errno = 0;
	if (what->kind == 2 && what->slot == what->other)
		return;
	if (what->kind == 0)
		come(fd, said);
	else if (what->kind == 1)
		take(world, fd, said);
	else if (what->kind == 2)
		pair(fd, &world->fds[what->other], said);
	else if (what->kind == 3)
		wait_for_all(world, said);
	else if (*fd < 0)
		return;
	else if (what->kind == 4)
		leave(fd);
	else if (what->kind == 5)
		fill(*fd, what, said);
	else if (what->kind == 6)
		watch(world, changes[what->flags % 3], what->slot, *fd,
		      what->size & (EPOLLIN | EPOLLOUT), said);
	else if (what->kind == 7)
		peek(*fd, what, said);
	else if (what->kind < 10)
		hear(*fd, what, said);
	else
		send_to(*fd, what, said);
	said->err = said->got < 0 ? errno : 0;
}

static void act_in_both(struct input *input)
{
	struct what what = {
		.slot = take_byte(input) % SLOTS,
		.kind = take_byte(input) % 12,
		.other = take_byte(input) % SLOTS,
		.size = take_byte(input),
		.flags = take_byte(input),
	};
	struct said said[2] = {};

	/* That an empty message was left unread is news to the other end on some kernels only. */
	if (what.kind >= 10 || what.kind == 5)
		what.len = take_bytes(input, what.bytes) ?: 1;
	for (int i = 0; i < 2; i++) {
		sockets_in_memory = i;
		act(&worlds[i], &what, &said[i]);
	}
	if (said[0].got != said[1].got || said[0].err != said[1].err)
		fprintf(stderr, "act %u: the kernel %zd, %s; in memory %zd, %s\n", what.kind,
			said[0].got, strerror(said[0].err), said[1].got, strerror(said[1].err));
	check(said[0].got == said[1].got && said[0].err == said[1].err);
	check(said[0].count == said[1].count);
	check(!memcmp(said[0].bytes, said[1].bytes, sizeof(said[0].bytes)));
	check(!memcmp(said[0].events, said[1].events, sizeof(said[0].events)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct input input = {data, len};
	struct said said = {};

	for (int i = 0; i < MAX_ACTS && input.len; i++)
		act_in_both(&input);
	for (int i = 0; i < 2; i++) {
		for (size_t slot = 0; slot < SLOTS; slot++)
			leave(&worlds[i].fds[slot]);
		for (said.got = 0; said.got >= 0; leave(&worlds[i].fds[0]))
			take(&worlds[i], &worlds[i].fds[0], &said);
		wait_for_all(&worlds[i], &said);
	}
	check(sockets_count() == 2);
	return 0;
}
