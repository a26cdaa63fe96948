/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which program has a socket, by the socket's inode: what is said of a process here is certain. */
#ifndef NOLISTEN_SOCKET_OWNER_H
#define NOLISTEN_SOCKET_OWNER_H

#include <stdbool.h>
#include <stdint.h>

#define OWNER_NAME_SIZE 17

struct socket_owner {
	uint32_t pid; /* 0: nobody has it any more, or nobody that can be seen here */
	char name[OWNER_NAME_SIZE]; /* "" then */
};

/* Looks through /proc. The answer about the same socket as before is kept while its process lives. */
void socket_owner_find(uint64_t inode, struct socket_owner *out);

#endif
