/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Without parents: connections that wait for a program to accept them. The program's listener, on a loopback address, gets a dummy for
 * each: so poll, epoll and select say what they always say. When the program calls accept() the dummy is taken away, and the
 * connection is put in its place.
 */
#ifndef NOLISTEN_WAITING_H
#define NOLISTEN_WAITING_H

#include <stdbool.h>
#include <stddef.h>

struct waiting;

/* listener_fd: borrowed; it listens. No more than backlog wait. */
int waiting_new(struct waiting **out, int listener_fd, int backlog);
/* What waits is reset. NULL is legal. */
void waiting_free(struct waiting *waiting);

/* How many wait. NULL: 0. */
size_t waiting_count(const struct waiting *waiting);
/* fd becomes ours. has_taker: somebody is in accept() already, no dummy is needed. -ENOBUFS: too many wait, it is reset. */
int waiting_add(struct waiting *waiting, int fd, bool has_taker);
/* The first, which is the caller's then, and its dummy is gone. -1: none. */
int waiting_take(struct waiting *waiting);
/* It could not be given: it is the first again. */
void waiting_put_back(struct waiting *waiting, int fd);
/* What a program has set at its listener meanwhile: what comes from now on inherits that. */
void waiting_refresh(struct waiting *waiting);

#endif
