/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Memory and descriptors of a thread that waits for an answer. Its descriptors are found by the thread, which may have its own. */
#ifndef NOLISTEN_CALLER_H
#define NOLISTEN_CALLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Its memory, which stays the same process's whatever becomes of the thread's number: ask whether it still waits before writing. The descriptor is the
 * caller's to close; or -errno.
 */
int caller_open_memory(pid_t tid);
/* All of it: 0 or -EFAULT. */
int caller_read(int memory, uint64_t address, void *out, size_t len);
int caller_write(int memory, uint64_t address, const void *data, size_t len);
/* As getsockname(2) does: cut to what there is room for, *len_address becomes its length. 0, -EFAULT, -EINVAL. */
int caller_write_result(int memory, uint64_t address, uint64_t len_address, const void *from,
			size_t from_len);

/* Which socket is that? 0: none, or it is gone. The same number may come again once a socket is closed. */
uint64_t caller_socket(pid_t tid, int fd);
/* Is it the very same open file as ours? */
bool caller_has_same(pid_t tid, int fd, int own_fd);
/* A copy, which is ours; or -errno. */
int caller_take_fd(pid_t tid, int fd);
bool caller_is_cloexec(pid_t tid, int fd);
/* What its call would return because of a signal that it has been sent; 0: there is none. */
int caller_interruption(pid_t tid);

/* Who else has this socket? The first process that is found, other than ourselves: 0 and where, or -ENOENT. */
int caller_find_holder(uint64_t socket, pid_t *pid, int *fd);
/* Call fn for each process that has it. */
void caller_each_holder(uint64_t socket, void (*fn)(void *context, pid_t pid), void *context);

#endif
