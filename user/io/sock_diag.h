/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel's own sockets, through sock_diag(7): hear of every TCP socket that is destroyed in this network
 * namespace, list those that live, and end one.
 */
#ifndef NOLISTEN_SOCK_DIAG_H
#define NOLISTEN_SOCK_DIAG_H

#include <stdbool.h>
#include <stdint.h>

#include "addr.h"

typedef void (*sock_diag_fn)(void *context, const struct tuple *tuple, uint8_t tcp_state);

/* A descriptor that hears of destroyed sockets, or -errno (EPERM without CAP_NET_ADMIN). */
int sock_diag_watch(void);
/* fn for each destroyed socket that is waiting, without blocking. -ENOBUFS: some were lost, list them anew. */
int sock_diag_read(int watch_fd, sock_diag_fn fn, void *context);

/* fn for each TCP socket in one of the states (bits 1 << TCP_LISTEN and so on). Number or -errno. */
int sock_diag_visit(uint32_t states, sock_diag_fn fn, void *context);

/* fn for each TCP socket that listens, and its inode, by which its process is found. 0 or -errno. */
typedef void (*sock_diag_listener_fn)(void *context, const struct endpoint *local, uint64_t inode);
int sock_diag_visit_listeners(sock_diag_listener_fn fn, void *context);

/*
 * Is there a socket of exactly this 4-tuple? Its state, or -ENOENT. ifindex: where its packets come in, since a socket
 * of link-local addresses is bound to its interface.
 */
int sock_diag_find(const struct tuple *tuple, uint32_t ifindex, uint8_t *tcp_state);

/* A descriptor for sock_diag_has_owner(), or -errno. */
int sock_diag_open(void);
/* Would a packet of this 4-tuple, coming in by the interface, reach a kernel socket: connected, listening, TIME-WAIT? */
int sock_diag_has_owner(int fd, const struct tuple *tuple, uint32_t ifindex, bool *out);

/*
 * End the TIME-WAIT socket of this 4-tuple. -ENOENT; -EADDRINUSE: a socket in another state has it, and stays;
 * -EOPNOTSUPP without CONFIG_INET_DIAG_DESTROY.
 */
int sock_diag_end_time_wait(const struct tuple *tuple, uint32_t ifindex);

/*
 * End the TCP sockets of this network namespace that no process has: what sends its last segments, TIME-WAIT, handshakes, what waits for
 * accept(). Their remotes get a RST where they may still send. Number of them, or -errno: EOPNOTSUPP as above; before Linux 6.11 those with last
 * segments to send stay.
 */
int sock_diag_end_orphans(void);

#endif
