/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The socket of nolisten meet: patient, and quick to send its SYN again. */
#ifndef NOLISTEN_MEET_SOCKET_H
#define NOLISTEN_MEET_SOCKET_H

#include "addr.h"

/*
 * Bound to the local end, ready to connect(); a TIME-WAIT of the same 4-tuple is ended first. -EALREADY: it cannot be,
 * and that is logged.
 */
int meet_socket_open(const struct tuple *tuple, int *fd);

/* Connected: take back what was set for the SYN. */
void meet_socket_settle(int fd);

/* A program that does not know of O_NONBLOCK would take EAGAIN for an error. 0 or -errno. */
int meet_socket_make_blocking(int fd);

#endif
