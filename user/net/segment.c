/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One TCP segment: bytes to struct and back. */
#include "segment.h"

#include <netinet/in.h>
#include <string.h>

#include "bytes.h"
#include "ip.h"

static enum checksum_state find_checksum_state(const struct ip_packet *ip, const uint8_t *tcp)
{
	size_t len = ip->len - ip->l4_offset;
	uint64_t pseudo = checksum_pseudo(&ip->source, &ip->destination, (uint32_t)len);

	if (checksum_fold(checksum_add(pseudo, tcp, len)) == 0xffff)
		return CHECKSUM_VALID;
	return bytes_get16(tcp + 16) == checksum_fold(pseudo) ? CHECKSUM_PARTIAL : CHECKSUM_BAD;
}

static enum segment_error parse_tcp(const uint8_t *tcp, size_t len, struct segment *out)
{
	size_t header_len;

	if (len < IP_TCP_HEADER_LEN)
		return SEGMENT_CUT;
	header_len = (tcp[12] >> 4) * 4u;
	if (header_len < IP_TCP_HEADER_LEN || header_len > len)
		return SEGMENT_BAD_HEADER;
	out->tuple.remote.port = bytes_get16(tcp);
	out->tuple.local.port = bytes_get16(tcp + 2);
	out->seq = bytes_get32(tcp + 4);
	out->ack = bytes_get32(tcp + 8);
	out->flags = tcp[13];
	out->window = bytes_get16(tcp + 14);
	tcpopt_parse(tcp + IP_TCP_HEADER_LEN, header_len - IP_TCP_HEADER_LEN, out->flags & TCP_SYN,
		     &out->options);
	out->option_bytes = tcp + IP_TCP_HEADER_LEN;
	out->option_len = (uint32_t)(header_len - IP_TCP_HEADER_LEN);
	out->payload = tcp + header_len;
	out->payload_len = (uint32_t)(len - header_len);
	return SEGMENT_OK;
}

enum segment_error segment_parse(const uint8_t *packet, size_t len, struct segment *out)
{
	struct ip_packet ip;
	enum segment_error error;

	memset(out, 0, sizeof(*out));
	error = ip_parse(packet, len, &ip);
	if (error)
		return error;
	out->tuple.remote.addr = ip.source;
	out->tuple.local.addr = ip.destination;
	out->ttl = ip.ttl;
	error = parse_tcp(packet + ip.l4_offset, ip.len - ip.l4_offset, out);
	if (error)
		return error;
	out->checksum = find_checksum_state(&ip, packet + ip.l4_offset);
	return SEGMENT_OK;
}

bool segment_read_tuple(const uint8_t *packet, size_t len, size_t l4_offset, struct tuple *out)
{
	const bool is_v4 = len && packet[0] >> 4 == 4;

	if (l4_offset < (is_v4 ? IP_V4_HEADER_LEN : IP_V6_HEADER_LEN) || l4_offset > len ||
	    len - l4_offset < 4)
		return false;
	out->remote.addr = is_v4 ? addr_from_v4(packet + 12) : addr_from_v6(packet + 8);
	out->local.addr = is_v4 ? addr_from_v4(packet + 16) : addr_from_v6(packet + 24);
	out->remote.port = bytes_get16(packet + l4_offset);
	out->local.port = bytes_get16(packet + l4_offset + 2);
	return true;
}

uint32_t segment_seq_len(const struct segment *segment)
{
	return segment->payload_len + !!(segment->flags & TCP_SYN) + !!(segment->flags & TCP_FIN);
}

static void put_v4_header(const struct segment *segment, uint8_t ttl, uint8_t *out)
{
	memset(out, 0, IP_V4_HEADER_LEN);
	out[0] = 0x45;
	bytes_put16(out + 6, IP_V4_DF);
	out[8] = ttl;
	out[9] = IPPROTO_TCP;
	memcpy(out + 12, segment->tuple.local.addr.bytes + 12, 4);
	memcpy(out + 16, segment->tuple.remote.addr.bytes + 12, 4);
}

static void put_v6_header(const struct segment *segment, uint8_t ttl, uint8_t *out)
{
	memset(out, 0, IP_V6_HEADER_LEN);
	out[0] = 0x60;
	out[6] = IPPROTO_TCP;
	out[7] = ttl;
	memcpy(out + 8, segment->tuple.local.addr.bytes, 16);
	memcpy(out + 24, segment->tuple.remote.addr.bytes, 16);
}

/* All but the checksum, which ip_seal() computes. */
static void put_tcp(const struct segment *segment, const uint8_t *options, size_t options_len,
		    uint8_t *out)
{
	size_t header_len = IP_TCP_HEADER_LEN + options_len;

	memset(out, 0, IP_TCP_HEADER_LEN);
	bytes_put16(out, segment->tuple.local.port);
	bytes_put16(out + 2, segment->tuple.remote.port);
	bytes_put32(out + 4, segment->seq);
	bytes_put32(out + 8, segment->ack);
	out[12] = (uint8_t)(header_len / 4 << 4);
	out[13] = segment->flags;
	bytes_put16(out + 14, segment->window);
	memcpy(out + IP_TCP_HEADER_LEN, options, options_len);
	if (segment->payload_len)
		memcpy(out + header_len, segment->payload, segment->payload_len);
}

size_t segment_build(const struct segment *segment, uint8_t *out, size_t size)
{
	bool is_v4 = addr_is_v4(&segment->tuple.local.addr);
	size_t l4_offset = is_v4 ? IP_V4_HEADER_LEN : IP_V6_HEADER_LEN;
	uint8_t ttl = segment->ttl ? segment->ttl : IP_DEFAULT_TTL;
	uint8_t options[TCPOPT_MAX_SIZE];
	size_t options_len, len;

	options_len = tcpopt_build(&segment->options, options);
	len = l4_offset + IP_TCP_HEADER_LEN + options_len + segment->payload_len;
	if (len > size || len > IP_MAX_LEN || addr_is_v4(&segment->tuple.remote.addr) != is_v4)
		return 0;
	if (is_v4)
		put_v4_header(segment, ttl, out);
	else
		put_v6_header(segment, ttl, out);
	put_tcp(segment, options, options_len, out + l4_offset);
	ip_seal(out, l4_offset, len);
	return len;
}

void segment_format_flags(uint8_t flags, char text[SEGMENT_FLAGS_TEXT_SIZE])
{
	static const char letters[] = "FSRP.UEW";
	size_t bit;

	if (!flags) {
		strcpy(text, "none");
		return;
	}
	for (bit = 0; bit < 8; bit++) {
		if (flags & 1u << bit)
			*text++ = letters[bit];
	}
	*text = '\0';
}
