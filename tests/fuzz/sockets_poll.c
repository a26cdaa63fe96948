/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Who watches the sockets, and the list of them in /proc. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "sockets_private.h"

#define ACCEPTS 0x10000 /* __SO_ACCEPTCON */

int __real_epoll_create1(int flags);
int __real_epoll_ctl(int epoll, int what, int fd, struct epoll_event *event);
int __real_epoll_wait(int epoll, struct epoll_event *events, int max, int timeout_ms);
FILE *__real_fopen(const char *path, const char *mode);

static int fail(int err)
{
	errno = err;
	return -1;
}

int __wrap_epoll_create1(int flags)
{
	return sockets_in_memory ? place_fd(place_take(EPOLL)) : __real_epoll_create1(flags);
}

int __wrap_epoll_ctl(int epoll, int what, int fd, struct epoll_event *event)
{
	struct place *watcher = place_find(epoll), *place;

	if (!watcher)
		return __real_epoll_ctl(epoll, what, fd, event);
	place = place_find(fd);
	check(place);
	if (!place->watcher != (what == EPOLL_CTL_ADD))
		return fail(what == EPOLL_CTL_ADD ? EEXIST : ENOENT);
	place->watcher = what == EPOLL_CTL_DEL ? NULL : watcher;
	if (what == EPOLL_CTL_DEL)
		return 0;
	place->wanted = *event;
	place->is_pending = true;
	return 0;
}

static uint32_t ready_of(const struct place *place)
{
	uint32_t ready = place->err ? EPOLLERR : 0;

	if (place->kind == LISTENER)
		return place->waiting ? EPOLLIN : 0;
	if (place->first)
		ready |= EPOLLIN;
	if (place->is_shut)
		ready |= EPOLLIN | EPOLLRDHUP | EPOLLHUP;
	if (!place->is_connected)
		ready |= EPOLLHUP;
	if (!place->peer || place->peer->queued * 4 <= SEND_BUFFER)
		ready |= EPOLLOUT;
	return ready & (place->wanted.events | EPOLLERR | EPOLLHUP);
}

int __wrap_epoll_wait(int epoll, struct epoll_event *events, int max, int timeout_ms)
{
	const struct place *watcher = place_find(epoll);
	int found = 0;

	if (!watcher)
		return __real_epoll_wait(epoll, events, max, timeout_ms);
	check(!timeout_ms);
	for (struct place *place = places; place < places + places_used && found < max; place++) {
		uint32_t ready;

		if (!place->kind || place->watcher != watcher)
			continue;
		ready = ready_of(place);
		if (!ready || (place->wanted.events & EPOLLET && !place->is_pending))
			continue;
		place->is_pending = false;
		events[found++] = (struct epoll_event){ready, place->wanted.data};
	}
	return found;
}

/* /proc/net/unix: unix_seq_show() */
static FILE *open_list(void)
{
	static char text[PLACES * 256];
	size_t len =
		(size_t)sprintf(text, "Num       RefCount Protocol Flags    Type St Inode Path\n");

	for (const struct place *place = places; place < places + places_used; place++) {
		const size_t name = place->name_len - offsetof(struct sockaddr_un, sun_path);

		if (!place->kind || !place->name_len)
			continue;
		len += (size_t)sprintf(text + len, "%016x: %08X %08X %08X %04X %02X %5u ", 0, 2, 0,
				       place->kind == LISTENER ? ACCEPTS : 0, SOCK_SEQPACKET, 1,
				       12345);
		for (size_t i = 0; i < name; i++)
			text[len++] = place->name.sun_path[i] ?: '@';
		text[len++] = '\n';
	}
	return fmemopen(text, len, "r");
}

FILE *__wrap_fopen(const char *path, const char *mode)
{
	if (!sockets_in_memory || strcmp(path, "/proc/net/unix"))
		return __real_fopen(path, mode);
	return open_list();
}
