/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The control socket: an abstract AF_UNIX SOCK_SEQPACKET socket "@nolisten/IFACE" in the network namespace of the
 * interface. Holding the name is also the lock that keeps a second loader away; it cannot outlive its process.
 * A client sends one command name; the server answers JSON lines, one a packet, and closes. Only root, and the
 * user that the loader runs as, are heard (SO_PEERCRED).
 */
#ifndef NOLISTEN_CONTROL_H
#define NOLISTEN_CONTROL_H

#include <stdbool.h>
#include <stddef.h>

#define CONTROL_TAKEN "another nolisten-loader is on this interface"

/* Server: a listening descriptor, or -EADDRINUSE when another loader has the interface. */
int control_listen(const char *ifname);
/* Server: take one client; -EPERM: it was another user's, has been told so and is closed; descriptor or -errno. */
int control_accept(int listen_fd);
/* Server: the command of the client, without waiting; its length or -errno. */
int control_read_command(int fd, char *command, size_t size);
/* Either side: one message. -EAGAIN when the other side does not read. */
int control_write(int fd, const char *text, size_t len);

/*
 * Client: connect and send the command; descriptor, -ECONNREFUSED when no loader is there, -EPERM: somebody else is. Root, who has named the
 * interface, asks anybody's loader there; of those that were only found there nobody is believed but root and the caller.
 */
int control_connect(const char *ifname, const char *command);
int control_connect_found(const char *ifname, const char *command);
/* Of one that was found: would it be believed? False as well where that cannot be told without waiting. */
bool control_is_believed(const char *ifname);
/* What such an error means, in a few words. */
const char *control_connect_error(int err);
/* Client: one message, allocated, terminated by 0, for the caller to free; 0 at the end; -errno. */
int control_read(int fd, char **message);
/* Interfaces that a loader of this network namespace answers on, from /proc/net/unix: calls fn for each. Their number or -errno. */
int control_visit(void (*fn)(void *context, const char *ifname), void *context);

#endif
