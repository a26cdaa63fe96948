/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One socket, bound and connected to the same address and port. Its SYN finds the only socket with that 4-tuple, itself,
 * in SYN_SENT: a simultaneous open with one party. What it sends is what it receives.
 */
#ifndef NOLISTEN_SELF_CONNECT_H
#define NOLISTEN_SELF_CONNECT_H

#include "addr.h"

/* Connect, send the message and read it back, and tell on standard output. 0 or -errno, logged. */
int self_connect(const struct endpoint *endpoint, const char *message);

#endif
