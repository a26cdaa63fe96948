/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where a parent is bound: a listener that the kernel knows and no remote can reach. */
#ifndef NOLISTEN_HIDDEN_H
#define NOLISTEN_HIDDEN_H

#include "addr.h"

/* The dummy address (RFC 7600), where parents of AF_INET are: their ports tell them apart. */
#define HIDDEN_V4 "192.0.0.8"

/*
 * An address of the discard prefix 100::/64 (RFC 6666) for the parents of a process, a random one; without IPv6 in the kernel
 * HIDDEN_V4. -errno.
 */
int hidden_choose(struct addr *out);
/*
 * Bind a socket of that address's family there, to a port of the kernel's choice. Who reaches it all the same is dropped by a filter on the
 * socket, which is there before the first SYN can be. IP_FREEBIND is set. -errno.
 */
int hidden_bind(int fd, const struct addr *at);

#endif
