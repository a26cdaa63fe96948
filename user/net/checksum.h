/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The Internet checksum (RFC 1071) and TCP's pseudo-header (RFC 9293, 3.1; RFC 8200, 8.1). */
#ifndef NOLISTEN_CHECKSUM_H
#define NOLISTEN_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

#include "addr.h"

/* Add len bytes to a running sum; every part but the last has an even length. */
uint64_t checksum_add(uint64_t sum, const void *data, size_t len);
/* Folded, not inverted. */
uint16_t checksum_fold(uint64_t sum);
/* The sum, not folded, of TCP's pseudo-header for tcp_len bytes of header and payload. */
uint64_t checksum_pseudo(const struct addr *source, const struct addr *destination,
			 uint32_t tcp_len);

/* What the TCP checksum field says. */
enum checksum_state {
	CHECKSUM_VALID,
	CHECKSUM_PARTIAL, /* only the pseudo-header is in it: a local sender left the rest to the device */
	CHECKSUM_BAD,
};

#endif
