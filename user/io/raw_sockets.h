/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which sockets get segments behind TC ingress: raw IP sockets, and packet sockets that are not for all protocols. */
#ifndef NOLISTEN_RAW_SOCKETS_H
#define NOLISTEN_RAW_SOCKETS_H

#include <stdbool.h>

/* Does one in this network namespace get TCP segments: protocol 6, or packets of IPv4 or IPv6? */
bool raw_sockets_take_tcp(void);

#endif
