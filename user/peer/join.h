/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A connected socket is joined to standard input and output, as nc does. */
#ifndef NOLISTEN_JOIN_H
#define NOLISTEN_JOIN_H

#include <stdbool.h>

/*
 * Copies both ways until both inputs have ended: the end of standard input becomes a FIN, the peer's FIN does not end
 * what is still to be sent. ends_with_peer: then only what is at hand is sent, and nobody is waited for. The socket has to be non-blocking, and stays the caller's. 0, or -errno of the connection
 * (-EPIPE and -ECONNRESET: the peer is gone) or of standard input or output; not logged.
 */
int join_socket(int fd, bool ends_with_peer);

#endif
