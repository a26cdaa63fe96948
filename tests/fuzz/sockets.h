/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * AF_UNIX's SOCK_SEQPACKET and epoll in memory, for targets whose time would be the kernel's: as much of unix(7) and epoll(7) as
 * they use. The linker puts it in front of the C library (--wrap); other descriptors go on to that.
 */
#ifndef NOLISTEN_FUZZ_SOCKETS_H
#define NOLISTEN_FUZZ_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Are those that are made from now on in memory? */
extern bool sockets_in_memory;

/* Which world this input gets: one in 64, by its bytes, the kernel's own, so that the two are held against each other. */
bool sockets_choose(const uint8_t *data, size_t len);
/* How many descriptors there are in memory. */
size_t sockets_count(void);
/* Of either world. */
bool sockets_is_open(int fd);

#endif
