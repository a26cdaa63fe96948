/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A quoted segment may be cut behind its sequence number: eight bytes of it are all that RFC 792 promises. */
#include "icmp_error.h"

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>

#include "bytes.h"
#include "checksum.h"
#include "ip.h"

#define ICMP_HEADER_LEN 8u
#define QUOTED_TCP_LEN 8u /* ports and sequence number */

static bool is_end_v4(uint8_t type, uint8_t code)
{
	return (type == ICMP_DEST_UNREACH && code <= NR_ICMP_UNREACH && code != ICMP_FRAG_NEEDED) ||
	       (type == ICMP_TIME_EXCEEDED && code == ICMP_EXC_TTL) || type == ICMP_PARAMETERPROB;
}

static bool is_end_v6(uint8_t type, uint8_t code)
{
	return type == ICMP6_DST_UNREACH || type == ICMP6_PARAM_PROB ||
	       (type == ICMP6_TIME_EXCEEDED && code == ICMP6_TIME_EXCEED_TRANSIT);
}

static void read_tcp(const uint8_t *tcp, struct icmp_error *out)
{
	out->tuple.local.port = bytes_get16(tcp);
	out->tuple.remote.port = bytes_get16(tcp + 2);
	out->seq = bytes_get32(tcp + 4);
}

static bool read_quoted_v4(const uint8_t *ip, size_t len, struct icmp_error *out)
{
	size_t header_len;

	if (len < IP_V4_HEADER_LEN || ip_version(ip) != 4 || ip[9] != IPPROTO_TCP)
		return false;
	header_len = (ip[0] & 15u) * 4;
	/* Of a fragment, the first only. */
	if (header_len < IP_V4_HEADER_LEN || len < header_len + QUOTED_TCP_LEN ||
	    bytes_get16(ip + 6) & 0x1fff)
		return false;
	out->tuple.local.addr = addr_from_v4(ip + 12);
	out->tuple.remote.addr = addr_from_v4(ip + 16);
	read_tcp(ip + header_len, out);
	return true;
}

static bool read_quoted_v6(const uint8_t *ip, size_t len, struct icmp_error *out)
{
	if (len < IP_V6_HEADER_LEN + QUOTED_TCP_LEN || ip_version(ip) != 6 || ip[6] != IPPROTO_TCP)
		return false;
	out->tuple.local.addr = addr_from_v6(ip + 8);
	out->tuple.remote.addr = addr_from_v6(ip + 24);
	read_tcp(ip + IP_V6_HEADER_LEN, out);
	return true;
}

bool icmp_error_parse_v4(const uint8_t *packet, size_t len, struct icmp_error *out)
{
	const uint8_t *icmp;
	size_t header_len, icmp_len;

	if (len < IP_V4_HEADER_LEN)
		return false;
	header_len = (packet[0] & 15u) * 4;
	if (header_len < IP_V4_HEADER_LEN || len < header_len + ICMP_HEADER_LEN)
		return false;
	icmp = packet + header_len;
	icmp_len = len - header_len;
	out->type = icmp[0];
	out->code = icmp[1];
	out->from = addr_from_v4(packet + 12);
	return is_end_v4(out->type, out->code) &&
	       checksum_fold(checksum_add(0, icmp, icmp_len)) == UINT16_MAX &&
	       read_quoted_v4(icmp + ICMP_HEADER_LEN, icmp_len - ICMP_HEADER_LEN, out);
}

bool icmp_error_parse_v6(const uint8_t *packet, size_t len, struct icmp_error *out)
{
	if (len < ICMP_HEADER_LEN)
		return false;
	out->type = packet[0];
	out->code = packet[1];
	return is_end_v6(out->type, out->code) &&
	       read_quoted_v6(packet + ICMP_HEADER_LEN, len - ICMP_HEADER_LEN, out);
}
