/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The header by which a proxy tells a server who its client is: PROXY protocol, version 2 (haproxy's proxy-protocol.txt, 2.2). */
#ifndef NOLISTEN_PROXY_HEADER_H
#define NOLISTEN_PROXY_HEADER_H

#include <stddef.h>
#include <stdint.h>

#include "addr.h"

#define PROXY_HEADER_MAX 52

/* Command PROXY over TCP, with both ends of the remote's connection; what it has written: 28 bytes of IPv4, 52 of IPv6. */
size_t proxy_header_write(uint8_t out[PROXY_HEADER_MAX], const struct tuple *tuple);

#endif
