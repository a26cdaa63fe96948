/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A TCP segment as a relay reads and tells it, by a parser of its own: what it is used to judge is not taken to read it. Pure. */
#ifndef NOLISTEN_RELAY_PACKET_H
#define NOLISTEN_RELAY_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RELAY_OPTIONS_TEXT 160
#define RELAY_FLAGS_TEXT 9

enum {
	RELAY_FIN = 0x01,
	RELAY_SYN = 0x02,
	RELAY_RST = 0x04,
	RELAY_ACK = 0x10,
};

struct relay_segment {
	uint16_t source_port, destination_port;
	uint32_t seq, ack;
	uint8_t flags;
	uint16_t window;
	const uint8_t *options;
	size_t options_len, payload_len;
};

/* l2_len: of the link header, 0 or Ethernet's. false: not TCP, or not in the plain headers that a lab has. */
bool relay_read(const uint8_t *frame, size_t len, size_t l2_len, struct relay_segment *out);

/* Of SACK the first block, relative to the other end's ISN. */
void relay_print_options(const struct relay_segment *segment, uint32_t acked_isn,
			 char text[RELAY_OPTIONS_TEXT]);
/* In tcpdump's letters. */
void relay_print_flags(uint8_t flags, char text[RELAY_FLAGS_TEXT]);

#endif
