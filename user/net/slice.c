/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Held packets cut to size for their replay, the way TSO cuts them. */
#include "slice.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "bytes.h"
#include "ip.h"

#define FLAGS_OF_FIRST (TCP_SYN | TCP_URG | TCP_CWR)
#define FLAGS_OF_LAST (TCP_FIN | TCP_PSH)
#define V6_FLOW_LABEL 0xfffffu

int slicer_init(struct slicer *slicer, const uint8_t *packet, size_t len, size_t max_packet,
		uint32_t tag)
{
	struct segment segment;
	struct ip_packet ip;
	size_t headers_len;

	if (segment_parse(packet, len, &segment) || ip_parse(packet, len, &ip))
		return -EINVAL;
	if (max_packet > IP_MAX_LEN)
		max_packet = IP_MAX_LEN;
	headers_len = ip.len - segment.payload_len;
	if (headers_len + !!segment.payload_len > max_packet)
		return -EINVAL;
	*slicer = (struct slicer){
		.packet = packet,
		.headers_len = headers_len,
		.l4_offset = ip.l4_offset,
		.payload_len = segment.payload_len,
		.max_payload = max_packet - headers_len,
		.tag = tag,
	};
	return 0;
}

static void tag_ip(uint8_t *out, uint32_t tag)
{
	uint32_t word;

	if (ip_version(out) == 4) {
		bytes_put16(out + 4, (uint16_t)tag);
		out[8] = 0;
		bytes_put16(out + 6, bytes_get16(out + 6) & IP_V4_DF);
		return;
	}
	word = bytes_get32(out);
	bytes_put32(out, (word & ~V6_FLOW_LABEL) | (tag & V6_FLOW_LABEL));
	out[7] = 0;
}

/* offset: of the slice in the payload. */
static void adjust_tcp(uint8_t *tcp, size_t offset, bool is_last)
{
	bool has_syn = tcp[13] & TCP_SYN;

	if (offset) {
		/* The SYN, which has a sequence number of its own, went with the first slice. */
		bytes_put32(tcp + 4, bytes_get32(tcp + 4) + (uint32_t)offset + has_syn);
		tcp[13] &= (uint8_t)~FLAGS_OF_FIRST;
		bytes_put16(tcp + 18, 0);
	}
	if (!is_last)
		tcp[13] &= (uint8_t)~FLAGS_OF_LAST;
}

size_t slicer_next(struct slicer *slicer, uint8_t *out, size_t size)
{
	size_t offset = slicer->next;
	size_t left = slicer->payload_len - offset;
	size_t payload_len = left < slicer->max_payload ? left : slicer->max_payload;
	size_t len = slicer->headers_len + payload_len;

	if (slicer->done || len > size)
		return 0;
	memcpy(out, slicer->packet, slicer->headers_len);
	memcpy(out + slicer->headers_len, slicer->packet + slicer->headers_len + offset,
	       payload_len);
	slicer->next += payload_len;
	slicer->done = slicer->next == slicer->payload_len;
	tag_ip(out, slicer->tag);
	adjust_tcp(out + slicer->l4_offset, offset, slicer->done);
	ip_seal(out, slicer->l4_offset, len);
	return len;
}
