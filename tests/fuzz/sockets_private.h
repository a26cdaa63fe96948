/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A descriptor is a place in a table. */
#ifndef NOLISTEN_FUZZ_SOCKETS_PRIVATE_H
#define NOLISTEN_FUZZ_SOCKETS_PRIVATE_H

#include "sockets.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

#define FIRST_FD (1 << 20)
#define PLACES 1024
#define SEND_BUFFER 212992

enum kind {
	FREE,
	SOCKET,
	LISTENER,
	EPOLL,
	LENT, /* came with a message */
};

struct message {
	struct message *next;
	size_t len, fd_count;
	char bytes[2048]; /* none is longer */
};

struct place {
	enum kind kind;
	struct place *peer; /* NULL: none, or it is gone */
	bool is_connected; /* and stays so */
	bool is_shut; /* the other end is gone */
	int err;
	struct message *first, **last;
	size_t queued; /* as the kernel counts it */
	struct sockaddr_un name;
	socklen_t name_len;
	struct place *waiting,
		*next_waiting; /* of a listener: who was not accepted yet, the oldest first */
	int wait_count, backlog;
	struct place *watcher; /* NULL: nobody */
	struct epoll_event wanted;
	bool is_pending; /* edge-triggered: something has happened */
};

extern struct place places[PLACES];
extern size_t places_used; /* those behind are free */

struct place *place_take(enum kind kind);
/* NULL: it is the kernel's. */
struct place *place_find(int fd);
int place_fd(const struct place *place);

#endif
