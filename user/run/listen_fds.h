/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * sd_listen_fds(3): COMMAND finds its listeners as descriptors 3, 4 and so on, and how many in LISTEN_FDS. Their numbers have to be free in
 * the child: they are taken as long as we live, before anything else can be.
 */
#ifndef NOLISTEN_LISTEN_FDS_H
#define NOLISTEN_LISTEN_FDS_H

#include <stddef.h>

#include "run_sockets.h"

#define LISTEN_FDS_MAX 64

/* Before anything is opened. -errno, logged. */
int listen_fds_reserve(size_t count);
/* In the child: those of a list that are kept, in the order of their ports, and the environment. -errno, logged. */
int listen_fds_pass(const struct run_sockets *sockets);

#endif
