/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* ICMP errors (RFC 792, RFC 4443) about a TCP segment that we have sent. */
#ifndef NOLISTEN_ICMP_ERROR_H
#define NOLISTEN_ICMP_ERROR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "addr.h"

struct icmp_error {
	struct tuple tuple; /* local: the quoted segment's source */
	uint32_t seq; /* the quoted segment's */
	uint8_t type, code; /* of ICMP or ICMPv6, as the tuple's addresses are */
	struct addr from; /* who says so; of ICMPv6 the reader fills it in */
};

/*
 * False: none, or one that is no end: fragmentation needed, packet too big. v4: with the IP header in front, and a checksum that is
 * right; v6: without, and the kernel has checked it.
 */
bool icmp_error_parse_v4(const uint8_t *packet, size_t len, struct icmp_error *out);
bool icmp_error_parse_v6(const uint8_t *packet, size_t len, struct icmp_error *out);

/*
 * One by which Linux gives up a half-open connection (seen on 6.18)? Net and host unreachable, TTL exceeded in transit, parameter
 * problem; of ICMPv6 parameter problem, and unreachable but for no route, beyond scope and address unreachable.
 */
bool icmp_error_ends_half_open(const struct icmp_error *error);

/* With what connect() fails, as Linux has it: -errno. */
int icmp_error_errno(const struct icmp_error *error);
/* "host unreachable" */
const char *icmp_error_name(const struct icmp_error *error);

#endif
