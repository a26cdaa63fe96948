/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* IPv4 and IPv6 headers up to TCP, with the checks that Linux makes on reception. */
#include "ip.h"

#include <netinet/in.h>
#include <stdbool.h>

#include "bytes.h"

#define V4_FRAGMENT_BITS 0x3fffu /* more fragments, and the offset */
#define V6_FRAGMENT_BITS 0xfff9u
#define V6_EXTENSIONS_MAX 8

/* IPv4 options (RFC 791, 3.1). */
enum v4_option {
	V4_OPTION_END = 0,
	V4_OPTION_NOP = 1,
	V4_OPTION_LSRR = 131,
	V4_OPTION_SSRR = 137,
};

static enum segment_error check_v4_options(const uint8_t *bytes, size_t len)
{
	while (len && *bytes != V4_OPTION_END) {
		size_t option_len = 1;

		if (*bytes != V4_OPTION_NOP) {
			if (len < 2 || bytes[1] < 2 || bytes[1] > len)
				return SEGMENT_BAD_HEADER;
			if (*bytes == V4_OPTION_LSRR || *bytes == V4_OPTION_SSRR)
				return SEGMENT_SOURCE_ROUTE;
			option_len = bytes[1];
		}
		bytes += option_len;
		len -= option_len;
	}
	return SEGMENT_OK;
}

static enum segment_error check_v4_lengths(const uint8_t *packet, size_t len)
{
	size_t header_len, total_len;

	if (len < IP_V4_HEADER_LEN)
		return SEGMENT_CUT;
	header_len = (packet[0] & 0xfu) * 4;
	total_len = bytes_get16(packet + 2);
	if (header_len < IP_V4_HEADER_LEN || total_len < header_len)
		return SEGMENT_BAD_HEADER;
	return total_len > len ? SEGMENT_CUT : SEGMENT_OK;
}

static enum segment_error parse_v4(const uint8_t *packet, size_t len, struct ip_packet *out)
{
	enum segment_error error = check_v4_lengths(packet, len);

	if (error)
		return error;
	out->l4_offset = (packet[0] & 0xfu) * 4;
	out->len = bytes_get16(packet + 2);
	if (checksum_fold(checksum_add(0, packet, out->l4_offset)) != 0xffff)
		return SEGMENT_BAD_HEADER;
	if (packet[9] != IPPROTO_TCP)
		return SEGMENT_NOT_TCP;
	if (bytes_get16(packet + 6) & V4_FRAGMENT_BITS)
		return SEGMENT_FRAGMENT;
	out->source = addr_from_v4(packet + 12);
	out->destination = addr_from_v4(packet + 16);
	out->ttl = packet[8];
	return check_v4_options(packet + IP_V4_HEADER_LEN, out->l4_offset - IP_V4_HEADER_LEN);
}

/* What is wrong with this extension header, if anything; at least its first eight bytes are at hand. */
static enum segment_error check_extension(uint8_t protocol, const uint8_t *header, bool is_first)
{
	switch (protocol) {
	case IPPROTO_HOPOPTS:
		return is_first ? SEGMENT_OK : SEGMENT_NOT_TCP;
	case IPPROTO_DSTOPTS:
		return SEGMENT_OK;
	case IPPROTO_ROUTING:
		return header[3] ? SEGMENT_SOURCE_ROUTE : SEGMENT_OK;
	case IPPROTO_FRAGMENT:
		return bytes_get16(header + 2) & V6_FRAGMENT_BITS ? SEGMENT_FRAGMENT : SEGMENT_OK;
	}
	return SEGMENT_NOT_TCP;
}

static bool is_extension(uint8_t protocol)
{
	return protocol == IPPROTO_HOPOPTS || protocol == IPPROTO_DSTOPTS ||
	       protocol == IPPROTO_ROUTING || protocol == IPPROTO_FRAGMENT;
}

/* Moves out->l4_offset from the end of the fixed header to TCP. */
static enum segment_error walk_extensions(const uint8_t *packet, struct ip_packet *out)
{
	uint8_t protocol = packet[6];
	unsigned int count;

	for (count = 0; is_extension(protocol) && count < V6_EXTENSIONS_MAX; count++) {
		const uint8_t *header = packet + out->l4_offset;
		size_t left = out->len - out->l4_offset, header_len = 8;
		enum segment_error error;

		if (left < header_len)
			return SEGMENT_CUT;
		error = check_extension(protocol, header, !count);
		if (error)
			return error;
		if (protocol != IPPROTO_FRAGMENT)
			header_len += header[1] * 8u;
		if (left < header_len)
			return SEGMENT_CUT;
		protocol = header[0];
		out->l4_offset += header_len;
	}
	return protocol == IPPROTO_TCP ? SEGMENT_OK : SEGMENT_NOT_TCP;
}

static enum segment_error parse_v6(const uint8_t *packet, size_t len, struct ip_packet *out)
{
	if (len < IP_V6_HEADER_LEN)
		return SEGMENT_CUT;
	out->len = IP_V6_HEADER_LEN + bytes_get16(packet + 4);
	if (out->len > len)
		return SEGMENT_CUT;
	out->source = addr_from_v6(packet + 8);
	out->destination = addr_from_v6(packet + 24);
	out->ttl = packet[7];
	out->l4_offset = IP_V6_HEADER_LEN;
	return walk_extensions(packet, out);
}

enum segment_error ip_parse(const uint8_t *packet, size_t len, struct ip_packet *out)
{
	if (!len)
		return SEGMENT_CUT;
	switch (ip_version(packet)) {
	case 4:
		return parse_v4(packet, len, out);
	case 6:
		return parse_v6(packet, len, out);
	}
	return SEGMENT_NOT_TCP;
}

static uint64_t seal_v4(uint8_t *packet, size_t l4_offset, size_t len)
{
	struct addr source = addr_from_v4(packet + 12), destination = addr_from_v4(packet + 16);
	size_t header_len = (packet[0] & 0xfu) * 4;

	bytes_put16(packet + 2, (uint16_t)len);
	bytes_put16(packet + 10, 0);
	bytes_put16(packet + 10, (uint16_t)~checksum_fold(checksum_add(0, packet, header_len)));
	return checksum_pseudo(&source, &destination, (uint32_t)(len - l4_offset));
}

static uint64_t seal_v6(uint8_t *packet, size_t l4_offset, size_t len)
{
	struct addr source = addr_from_v6(packet + 8), destination = addr_from_v6(packet + 24);

	bytes_put16(packet + 4, (uint16_t)(len - IP_V6_HEADER_LEN));
	return checksum_pseudo(&source, &destination, (uint32_t)(len - l4_offset));
}

void ip_seal(uint8_t *packet, size_t l4_offset, size_t len)
{
	uint8_t *tcp = packet + l4_offset;
	uint64_t sum;

	if (ip_version(packet) == 4)
		sum = seal_v4(packet, l4_offset, len);
	else
		sum = seal_v6(packet, l4_offset, len);
	bytes_put16(tcp + 16, 0);
	sum = checksum_add(sum, tcp, len - l4_offset);
	bytes_put16(tcp + 16, (uint16_t)~checksum_fold(sum));
}
