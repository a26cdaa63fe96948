/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Ethernet frames with one TCP segment, right or wrong on purpose, and back. The project's own codecs are not used:
 * a test must not share the mistakes of what it tests.
 */
#ifndef NOLISTEN_TESTS_WIRE_H
#define NOLISTEN_TESTS_WIRE_H

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <netinet/in.h>

#include "tools/tool.h"

#define WIRE_MAX 4096
#define WIRE_PATIENCE_MS 5000

enum wire_flag {
	WIRE_FIN = 0x01,
	WIRE_SYN = 0x02,
	WIRE_RST = 0x04,
	WIRE_ACK = 0x10,
};

/* What to send. Everything in host order but the addresses; a zero field means nothing odd. */
struct wire {
	uint8_t local_mac[6], remote_mac[6];
	bool is_v6;
	uint8_t local_addr[16], remote_addr[16]; /* IPv4: the first four bytes */
	uint16_t local_port, remote_port;
	uint32_t seq, ack;
	uint8_t flags, reserved;
	uint16_t window, urgent;
	uint8_t options[80];
	size_t options_len; /* padded by wire_build() with zeros */
	uint8_t ip_options[40]; /* IPv4, a multiple of 4 */
	size_t ip_options_len;
	uint8_t extension; /* IPv6: IPPROTO_HOPOPTS, _DSTOPTS: an empty header; _FRAGMENT: an atomic fragment */
	size_t payload_len;
	bool has_vlan;
	uint16_t vlan;
	bool has_bad_checksum;
	uint8_t data_offset; /* in words, instead of the true one */
	int ip_len_delta; /* added to the IP length */
	size_t padding; /* bytes behind the IP packet */
	size_t cut; /* bytes missing at the end of the frame */
	uint16_t fragment_at; /* a multiple of 8: cut the TCP segment there */
	/* Not 0: an ICMP error in place of the segment, which quotes one of the remote's with sequence number ack. */
	uint8_t icmp_type, icmp_code;
};

/* A segment that came. */
struct wire_answer {
	uint16_t local_port, remote_port;
	uint32_t seq, ack;
	uint8_t flags;
	uint16_t window;
	uint8_t options[40];
	size_t options_len;
	size_t payload_len;
	bool has_bad_checksum;
	uint64_t received_ms; /* CLOCK_REALTIME, for whoever receives to say */
};

static void put16(uint8_t *out, uint32_t value)
{
	out[0] = (uint8_t)(value >> 8);
	out[1] = (uint8_t)value;
}

static void put32(uint8_t *out, uint32_t value)
{
	put16(out, value >> 16);
	put16(out + 2, value);
}

static uint16_t get16(const uint8_t *in)
{
	return (uint16_t)(in[0] << 8 | in[1]);
}

static uint32_t get32(const uint8_t *in)
{
	return (uint32_t)get16(in) << 16 | get16(in + 2);
}

static uint32_t sum_bytes(uint32_t sum, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
	return sum;
}

static uint16_t fold_sum(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static uint16_t tcp_checksum(const uint8_t *source, const uint8_t *destination, size_t addr_len,
			     const uint8_t *tcp, size_t tcp_len)
{
	uint32_t sum = IPPROTO_TCP + (uint32_t)tcp_len;

	sum = sum_bytes(sum, source, addr_len);
	sum = sum_bytes(sum, destination, addr_len);
	return fold_sum(sum_bytes(sum, tcp, tcp_len));
}

static size_t build_tcp(const struct wire *wire, uint8_t *out)
{
	size_t options_len = (wire->options_len + 3) & ~3ul;
	size_t len = 20 + options_len + wire->payload_len;
	uint16_t checksum;

	memset(out, 0, len);
	put16(out, wire->local_port);
	put16(out + 2, wire->remote_port);
	put32(out + 4, wire->seq);
	put32(out + 8, wire->ack);
	out[12] = (uint8_t)((wire->data_offset ? wire->data_offset : 5 + options_len / 4) << 4);
	out[12] |= wire->reserved;
	out[13] = wire->flags;
	put16(out + 14, wire->window);
	put16(out + 18, wire->urgent);
	memcpy(out + 20, wire->options, wire->options_len);
	memset(out + 20 + options_len, 'x', wire->payload_len);
	checksum =
		tcp_checksum(wire->local_addr, wire->remote_addr, wire->is_v6 ? 16 : 4, out, len);
	put16(out + 16, wire->has_bad_checksum ? checksum ^ 0x5555u : checksum);
	return len;
}

static size_t build_ethernet(const struct wire *wire, uint8_t *out)
{
	size_t len = 12;

	memcpy(out, wire->remote_mac, 6);
	memcpy(out + 6, wire->local_mac, 6);
	if (wire->has_vlan) {
		put16(out + len, ETH_P_8021Q);
		put16(out + len + 2, wire->vlan);
		len += 4;
	}
	put16(out + len, wire->is_v6 ? ETH_P_IPV6 : ETH_P_IP);
	return len + 2;
}

/* fragment: offset in bytes and the more-fragments bit, or -1 for a whole packet. */
static size_t build_ipv4(const struct wire *wire, uint8_t *out, size_t payload_len, int fragment)
{
	size_t len = 20 + wire->ip_options_len;

	memset(out, 0, len);
	out[0] = (uint8_t)(0x40 | len / 4);
	put16(out + 2, (uint32_t)(len + payload_len) + (uint32_t)wire->ip_len_delta);
	put16(out + 4, wire->local_port);
	put16(out + 6, fragment < 0 ? 0x4000 : (uint32_t)(fragment / 8) | (fragment & 1) << 13);
	out[8] = 64;
	out[9] = wire->icmp_type ? IPPROTO_ICMP : IPPROTO_TCP;
	memcpy(out + 12, wire->local_addr, 4);
	memcpy(out + 16, wire->remote_addr, 4);
	memcpy(out + 20, wire->ip_options, wire->ip_options_len);
	put16(out + 10, fold_sum(sum_bytes(0, out, len)));
	return len;
}

static size_t build_ipv6(const struct wire *wire, uint8_t *out, size_t payload_len, int fragment)
{
	uint8_t extension = fragment < 0 ? wire->extension : IPPROTO_FRAGMENT;
	size_t len = extension ? 48 : 40;

	memset(out, 0, len);
	out[0] = 0x60;
	put16(out + 4, (uint32_t)(len - 40 + payload_len) + (uint32_t)wire->ip_len_delta);
	out[6] = extension ? extension : wire->icmp_type ? IPPROTO_ICMPV6 : IPPROTO_TCP;
	out[7] = 64;
	memcpy(out + 8, wire->local_addr, 16);
	memcpy(out + 24, wire->remote_addr, 16);
	if (!extension)
		return len;
	out[40] = IPPROTO_TCP;
	if (extension == IPPROTO_FRAGMENT) {
		put16(out + 42, fragment < 0 ? 0 : (uint32_t)fragment);
		put32(out + 44, wire->local_port);
	} else {
		/* One PadN option of four bytes fills the header. */
		out[42] = 1;
		out[43] = 4;
	}
	return len;
}

/* One frame around len bytes of a TCP segment; the frame's length. */
static size_t build_frame(const struct wire *wire, uint8_t *out, const uint8_t *tcp, size_t len,
			  int fragment)
{
	size_t at = build_ethernet(wire, out);

	at += wire->is_v6 ? build_ipv6(wire, out + at, len, fragment)
			  : build_ipv4(wire, out + at, len, fragment);
	memcpy(out + at, tcp, len);
	at += len;
	memset(out + at, 0xee, wire->padding);
	return at + wire->padding - wire->cut;
}

/* Where the other end of the wire has no room it says so, and makes some when it has had its turn. */
static void send_frame(int fd, const uint8_t *frame, size_t len)
{
	const struct timespec turn = {.tv_nsec = 1000000};
	uint64_t deadline_ms = now_ms() + WIRE_PATIENCE_MS;

	while (send(fd, frame, len, 0) != (ssize_t)len) {
		if (errno != ENOBUFS || now_ms() > deadline_ms)
			fail("send");
		nanosleep(&turn, NULL);
	}
}

/* The remote's segment, as far as an error quotes it at the least: eight bytes of TCP. */
static size_t build_quoted(const struct wire *wire, uint8_t *out)
{
	const struct wire none = {0};
	struct wire quoted = none;
	size_t len;

	quoted.is_v6 = wire->is_v6;
	memcpy(quoted.local_addr, wire->remote_addr, 16);
	memcpy(quoted.remote_addr, wire->local_addr, 16);
	len = wire->is_v6 ? build_ipv6(&quoted, out, 20, -1) : build_ipv4(&quoted, out, 20, -1);
	put16(out + len, wire->remote_port);
	put16(out + len + 2, wire->local_port);
	put32(out + len + 4, wire->ack);
	return len + 8;
}

static void send_icmp_error(int fd, const struct wire *wire)
{
	uint8_t icmp[256] = {wire->icmp_type, wire->icmp_code}, frame[WIRE_MAX];
	const size_t len = 8 + build_quoted(wire, icmp + 8);
	uint32_t sum = 0;

	if (wire->is_v6) {
		sum = sum_bytes(IPPROTO_ICMPV6 + (uint32_t)len, wire->local_addr, 16);
		sum = sum_bytes(sum, wire->remote_addr, 16);
	}
	put16(icmp + 2,
	      fold_sum(sum_bytes(sum, icmp, len)) ^ (wire->has_bad_checksum ? 0x5555 : 0));
	send_frame(fd, frame, build_frame(wire, frame, icmp, len, -1));
}

/* Through a packet socket that is bound to the interface. */
TOOL_UNUSED static void wire_send(int fd, const struct wire *wire)
{
	uint8_t tcp[WIRE_MAX], frame[WIRE_MAX];
	size_t len = build_tcp(wire, tcp);
	size_t first = wire->fragment_at ? wire->fragment_at : len;
	size_t frame_len;

	if (wire->icmp_type) {
		send_icmp_error(fd, wire);
		return;
	}
	frame_len = build_frame(wire, frame, tcp, first, wire->fragment_at ? 1 : -1);
	send_frame(fd, frame, frame_len);
	if (!wire->fragment_at)
		return;
	frame_len = build_frame(wire, frame, tcp + first, len - first, wire->fragment_at);
	send_frame(fd, frame, frame_len);
}

static bool parse_tcp(const uint8_t *tcp, size_t len, struct wire_answer *out)
{
	size_t header_len;

	if (len < 20)
		return false;
	header_len = (size_t)(tcp[12] >> 4) * 4;
	if (header_len < 20 || header_len > len)
		return false;
	out->remote_port = get16(tcp);
	out->local_port = get16(tcp + 2);
	out->seq = get32(tcp + 4);
	out->ack = get32(tcp + 8);
	out->flags = tcp[13];
	out->window = get16(tcp + 14);
	out->options_len = header_len - 20;
	memcpy(out->options, tcp + 20, out->options_len);
	out->payload_len = len - header_len;
	return true;
}

/* has_checksum: the sender has not left it to the device. */
TOOL_UNUSED static bool wire_parse(const uint8_t *frame, size_t len, bool has_checksum,
				   struct wire_answer *out)
{
	const uint8_t *ip = frame + ETH_HLEN;
	bool is_v6 = get16(frame + 12) == ETH_P_IPV6;
	size_t header_len, ip_len, addr_len = is_v6 ? 16 : 4;
	const uint8_t *addresses = ip + (is_v6 ? 8 : 12);

	if (len < ETH_HLEN + 40 || (!is_v6 && get16(frame + 12) != ETH_P_IP))
		return false;
	header_len = is_v6 ? 40 : (size_t)(ip[0] & 15) * 4;
	ip_len = is_v6 ? 40u + get16(ip + 4) : get16(ip + 2);
	if (ip[is_v6 ? 6 : 9] != IPPROTO_TCP || ip_len > len - ETH_HLEN || ip_len < header_len)
		return false;
	if (!parse_tcp(ip + header_len, ip_len - header_len, out))
		return false;
	out->has_bad_checksum =
		has_checksum && tcp_checksum(addresses, addresses + addr_len, addr_len,
					     ip + header_len, ip_len - header_len);
	return true;
}

#endif
