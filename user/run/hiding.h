/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is done to a program's socket, through a copy of its descriptor. */
#ifndef NOLISTEN_HIDING_H
#define NOLISTEN_HIDING_H

#include <stdbool.h>
#include <sys/socket.h>

#include "hidden.h"
#include "plane.h"

/* May it become a listener that we hide? Of TCP, not bound, not connected, bound to no device, and of our network namespace. */
bool hiding_is_candidate(int fd);
int hiding_family(int fd);
bool hiding_is_v6only(int fd);

/*
 * A socket that is bound as this one is to be, with the options on which bind() depends, and that never listens. *out is left alone on
 * -errno, which is bind()'s.
 */
int hiding_reserve(int fd, const struct sockaddr_storage *address, socklen_t len, int *out);

/* Where the kernel finds it, and no remote; v6: of AF_INET6. Its options are as before. */
int hiding_bind(int fd, const struct addr *v6);
/* To an address of the loopback interface that nobody knows of, and a port of the kernel's choice. */
int hiding_bind_loopback(int fd);

/* A socket of that family for an endpoint, and what bind() would be given. */
int hiding_open(int family, const struct plane_endpoint *at, int *out,
		struct sockaddr_storage *address, socklen_t *len);

#endif
