/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The IP header in front of a TCP segment, both versions; what segment and slice have in common. */
#ifndef NOLISTEN_IP_H
#define NOLISTEN_IP_H

#include <stddef.h>
#include <stdint.h>

#include "addr.h"
#include "segment.h"

#define IP_MAX_LEN 65535u /* longest packet that is built, of either version */
#define IP_V4_HEADER_LEN 20u
#define IP_V6_HEADER_LEN 40u
#define IP_TCP_HEADER_LEN 20u
#define IP_DEFAULT_TTL 64
#define IP_V4_DF 0x4000u

struct ip_packet {
	struct addr source, destination;
	size_t l4_offset; /* where TCP starts, behind options and extension headers */
	size_t len; /* as the header says, at most what is at hand */
	uint8_t ttl;
};

/* Which IP version the packet says it is. */
static inline unsigned int ip_version(const uint8_t *packet)
{
	return packet[0] >> 4;
}

/* SEGMENT_OK: a whole packet that carries TCP, of which no byte has been looked at. len as in segment_parse(). */
enum segment_error ip_parse(const uint8_t *packet, size_t len, struct ip_packet *out);

/* Fill in the IP length, the IPv4 header checksum and the TCP checksum; len: of the whole packet. */
void ip_seal(uint8_t *packet, size_t l4_offset, size_t len);

#endif
