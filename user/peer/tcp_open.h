/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* TCP sockets that are bound to an address and port of ours before they connect, and what is wrong when they are not. */
#ifndef NOLISTEN_TCP_OPEN_H
#define NOLISTEN_TCP_OPEN_H

#include <stdint.h>

#include "addr.h"

/* The interface that has this link-local address; 0: none has, or it needs none. */
uint32_t tcp_find_scope(const struct addr *addr);

/* A bound, non-blocking socket or -errno, logged. Other sockets on the port are no hindrance unless they listen or forbid it. */
int tcp_open(const struct endpoint *local);

/* Starts to connect: 0 or -EINPROGRESS, or -errno, not logged. */
int tcp_connect(int fd, const struct endpoint *local, const struct endpoint *remote);

/* What became of it: 0 or -errno. Asking takes the error away. */
int tcp_take_error(int fd);

/* Closes without a TIME-WAIT: what was not connected, or is not worth a FIN. fd < 0 is legal. */
void tcp_abort(int fd);

#endif
