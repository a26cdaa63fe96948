/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * An IP packet: the first two bytes are the size to slice it to, the rest is the packet. A packet that parses
 * is built again and sliced; the slices must be valid segments that cover the payload exactly. The IPv4 header
 * checksum is mended when the size is odd, since no mutation would find it.
 */
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "check.h"
#include "segment.h"
#include "slice.h"

#define TAG 0x12345u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t out[65536];

static void mend_v4_header(uint8_t *packet, size_t len)
{
	size_t header_len = len ? (packet[0] & 0xfu) * 4u : 0;

	if (header_len < 20 || header_len > len || packet[0] >> 4 != 4)
		return;
	bytes_put16(packet + 10, 0);
	bytes_put16(packet + 10, (uint16_t)~checksum_fold(checksum_add(0, packet, header_len)));
}

static void check_rebuilt(const struct segment *segment)
{
	struct segment turned = *segment, again;
	size_t len;

	turned.tuple.local = segment->tuple.remote;
	turned.tuple.remote = segment->tuple.local;
	len = segment_build(&turned, out, sizeof(out));
	if (!len)
		return;
	check(segment_parse(out, len, &again) == SEGMENT_OK);
	check(again.checksum == CHECKSUM_VALID);
	check(tuple_is_equal(&again.tuple, &segment->tuple));
	check(again.seq == segment->seq && again.ack == segment->ack);
	check(again.flags == segment->flags && again.payload_len == segment->payload_len);
	check(!memcmp(again.payload, segment->payload, again.payload_len));
}

static void check_slices(const uint8_t *packet, size_t len, size_t max_packet,
			 const struct segment *segment)
{
	bool has_syn = segment->flags & TCP_SYN;
	size_t offset = 0, slices = 0, slice_len;
	struct slicer slicer;
	struct segment slice;

	if (slicer_init(&slicer, packet, len, max_packet, TAG))
		return;
	while ((slice_len = slicer_next(&slicer, out, max_packet))) {
		check(slice_len <= max_packet);
		check(segment_parse(out, slice_len, &slice) == SEGMENT_OK);
		check(slice.checksum == CHECKSUM_VALID);
		check(slice.seq == segment->seq + (uint32_t)offset + (offset && has_syn));
		check(offset + slice.payload_len <= segment->payload_len);
		check(!memcmp(slice.payload, segment->payload + offset, slice.payload_len));
		offset += slice.payload_len;
		slices++;
	}
	check(slices && offset == segment->payload_len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t max_packet, len;
	struct segment segment;
	uint8_t *packet;

	if (size < 2)
		return 0;
	max_packet = bytes_get16(data);
	len = size - 2;
	/* A block of its own, so that a read past the end is seen. */
	packet = malloc(len ? len : 1);
	check(packet);
	memcpy(packet, data + 2, len);
	if (max_packet & 1)
		mend_v4_header(packet, len);
	if (segment_parse(packet, len, &segment) == SEGMENT_OK) {
		check(segment.payload + segment.payload_len <= packet + len);
		check_rebuilt(&segment);
		check_slices(packet, len, max_packet, &segment);
	}
	free(packet);
	return 0;
}
