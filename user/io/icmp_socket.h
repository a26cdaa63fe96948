/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Hears of ICMP errors about TCP segments, both families: copies, the kernel has each as well. */
#ifndef NOLISTEN_ICMP_SOCKET_H
#define NOLISTEN_ICMP_SOCKET_H

#include "icmp_error.h"
#include "loop.h"

struct icmp_sockets;

typedef void (*icmp_error_fn)(void *context, const struct icmp_error *error);

/* fn from the loop. A family that the host does not have is left out. -errno. */
int icmp_sockets_new(struct icmp_sockets **out, struct loop *loop, icmp_error_fn fn, void *context);
void icmp_sockets_free(struct icmp_sockets *sockets); /* NULL is legal */

#endif
