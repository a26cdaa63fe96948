/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One TCP segment in its IP packet: bytes to struct and back. No Ethernet here. */
#ifndef NOLISTEN_SEGMENT_H
#define NOLISTEN_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "addr.h"
#include "checksum.h"
#include "tcpopt.h"

enum tcp_flag {
	TCP_FIN = 0x01,
	TCP_SYN = 0x02,
	TCP_RST = 0x04,
	TCP_PSH = 0x08,
	TCP_ACK = 0x10,
	TCP_URG = 0x20,
	TCP_ECE = 0x40,
	TCP_CWR = 0x80,
};

struct segment {
	struct tuple
		tuple; /* local: the destination of what came in, the source of what goes out */
	uint32_t seq, ack;
	uint8_t flags; /* enum tcp_flag */
	uint16_t window; /* as on the wire, not scaled */
	struct tcp_options options;
	const uint8_t *option_bytes; /* of a parsed one, into the packet; may be of any kind */
	uint32_t option_len;
	const uint8_t *payload; /* points into the parsed packet */
	uint32_t payload_len; /* bytes; what the packet claims and has */
	enum checksum_state checksum; /* of a parsed segment */
	uint8_t ttl; /* IPv4 TTL or IPv6 hop limit; 0 when building: 64 */
};

/* Why a packet is no segment; each is counted under its name. */
enum segment_error {
	SEGMENT_OK,
	SEGMENT_NOT_TCP, /* another protocol, IP version, or an extension header that is not walked */
	SEGMENT_FRAGMENT,
	SEGMENT_CUT, /* shorter than its headers or its IP length says */
	SEGMENT_BAD_HEADER, /* IHL, IPv4 options or header checksum, or data offset impossible */
	SEGMENT_SOURCE_ROUTE, /* LSRR or SSRR (IPv4), routing header with segments left (IPv6) */
};

/* len: the bytes at hand, which may have padding behind the IP packet. Received: remote is the source. */
enum segment_error segment_parse(const uint8_t *packet, size_t len, struct segment *out);

/* Addresses and ports alone, of a packet that segment_parse() refuses; false if they are not within len bytes. */
bool segment_read_tuple(const uint8_t *packet, size_t len, size_t l4_offset, struct tuple *out);

/* SYN and FIN count one each (RFC 9293, 3.4). */
uint32_t segment_seq_len(const struct segment *segment);

/* The IP packet from local to remote, checksums filled in; its length, 0 if it does not fit or the families differ. */
size_t segment_build(const struct segment *segment, uint8_t *out, size_t size);

/* In tcpdump's letters: "S", "S.", ".", "P.", "F.", "R", "R." and so on; "none". */
#define SEGMENT_FLAGS_TEXT_SIZE 10
void segment_format_flags(uint8_t flags, char text[SEGMENT_FLAGS_TEXT_SIZE]);

#endif
