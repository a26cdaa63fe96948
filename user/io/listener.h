/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a descriptor is that somebody says is a listener for others' connections. */
#ifndef NOLISTEN_LISTENER_H
#define NOLISTEN_LISTENER_H

#include "addr.h"

/*
 * -EINVAL with *why, a constant text: no TCP socket that listens in this network namespace at the address of one host. *out: where. IPV6_V6ONLY
 * tells nothing: the kernel sets it for whatever is bound to one IPv6 address, and gives such a one IPv4 children all the same.
 */
int listener_read(int fd, struct endpoint *out, const char **why);

#endif
