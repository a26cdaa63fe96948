/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A held packet made fit to go back into the stack: cut at the MSS (on veth one packet may carry 64 KB),
 * every checksum computed anew, a tag by which ingress knows it again.
 */
#ifndef NOLISTEN_SLICE_H
#define NOLISTEN_SLICE_H

#include <stddef.h>
#include <stdint.h>

/* Walks the slices of one packet. */
struct slicer {
	const uint8_t *packet; /* from the IP header */
	size_t headers_len; /* IP header with options or extension headers, TCP header with options */
	size_t l4_offset;
	size_t payload_len;
	size_t next; /* offset in the payload */
	size_t max_payload;
	uint32_t tag;
	int done;
};

/*
 * max_packet: bytes of the longest IP packet to make (the device's MTU); tag: see nol_config.replay_tag:
 * its low 16 bits become the IPv4 identification, its low 20 bits the IPv6 flow label, and the TTL becomes 0.
 * The packet has to have passed segment_parse(). -EINVAL if the headers leave no room in max_packet.
 */
int slicer_init(struct slicer *slicer, const uint8_t *packet, size_t len, size_t max_packet,
		uint32_t tag);

/*
 * The next slice as a whole IP packet; its length, 0 when there are no more. FIN and PSH stay on the last slice, SYN,
 * URG and CWR on the first. size >= max_packet.
 */
size_t slicer_next(struct slicer *slicer, uint8_t *out, size_t size);

#endif
