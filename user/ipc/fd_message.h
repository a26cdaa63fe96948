/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Messages with descriptors (SCM_RIGHTS, unix(7)) on a SOCK_SEQPACKET socket. Neither call waits. */
#ifndef NOLISTEN_FD_MESSAGE_H
#define NOLISTEN_FD_MESSAGE_H

#include <stddef.h>
#include <sys/types.h>

#define FD_MESSAGE_MAX 253 /* SCM_MAX_FD of Linux */

/* The descriptors stay the caller's. 0, or -errno: -EAGAIN: the other side has not read enough. */
int fd_message_send(int fd, const void *message, size_t len, const int *fds, size_t count);
/*
 * The message's length, 0 when the other side has gone, or -errno; more than size: it was cut. *count descriptors, which are
 * close-on-exec and the caller's; of those sent the first, if there was no place for all.
 */
ssize_t fd_message_receive(int fd, void *message, size_t size, int *fds, size_t max, size_t *count);
void fd_message_close(const int *fds, size_t count);

#endif
