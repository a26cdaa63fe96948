/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The congestion window of a socket of ours, which no system call sets: a BPF iterator walks the TCP sockets of this
 * network namespace until it finds it. That takes some milliseconds where the kernel's table is large, so it is for rare
 * occasions, and the caller has to limit them.
 */
#ifndef NOLISTEN_CWND_H
#define NOLISTEN_CWND_H

#include <stdint.h>

#include "load_failure.h"

struct cwnd;

/* -errno: this kernel does not take the program. */
int cwnd_new(struct cwnd **out);
void cwnd_free(struct cwnd *cwnd); /* NULL is legal */
/* In segments; of any thread. Before the socket has sent data; -ENOENT: it is of another namespace, or no TCP socket with a table entry. */
int cwnd_set(struct cwnd *cwnd, int fd, int segments);

/* For loadable.h. */
int cwnd_probe(struct load_failure *failure);

#endif
