/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The socket is handed to a program, the way inetd does it. */
#ifndef NOLISTEN_MEET_COMMAND_H
#define NOLISTEN_MEET_COMMAND_H

#include "addr.h"

/*
 * Becomes the command, with the socket as standard input and output and PROTO, TCPLOCALIP, TCPLOCALPORT, TCPREMOTEIP and
 * TCPREMOTEPORT in its environment. Returns only if that fails: -errno.
 */
int meet_command_exec(char **command, int fd, const struct tuple *tuple);

#endif
