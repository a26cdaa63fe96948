/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A packet of the one 4-tuple that meet guards, read from the network header on, so that the link layer does not
 * matter. Fragments and extension headers are not understood: such a packet is none of the 4-tuple's, and passes.
 */
#ifndef NOLISTEN_BPF_MEET_PACKET_H
#define NOLISTEN_BPF_MEET_PACKET_H

#include "vmlinux.h"

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include <abi/meet.h>

#include "net.h"

#define MEET_FROM_NETWORK_HEADER 1 /* BPF_HDR_START_NET */
#define MEET_IPV4_LEN 20
#define MEET_IPV6_LEN 40

struct meet_packet {
	struct nol_flow_key key __attribute__((aligned(8))); /* as of a packet that came in */
	__u32 l4_offset; /* from the start of the IP header */
	__u32 seq;
	__u8 flags;
	bool is_ipv4;
};

static __always_inline bool read_bytes(struct __sk_buff *skb, __u32 offset, void *to, __u32 len)
{
	return !bpf_skb_load_bytes_relative(skb, offset, to, len, MEET_FROM_NETWORK_HEADER);
}

static __always_inline bool read_ipv4(struct __sk_buff *skb, struct meet_packet *packet)
{
	__u8 header[MEET_IPV4_LEN] __attribute__((aligned(4)));

	if (!read_bytes(skb, 0, header, sizeof(header)) || header[9] != IPPROTO_TCP)
		return false;
	if (*(__be16 *)(header + 6) & bpf_htons(IPV4_FRAGMENT_MASK))
		return false;
	packet->is_ipv4 = true;
	packet->l4_offset = (header[0] & 0x0f) * 4;
	packet->key.remote_addr[10] = packet->key.remote_addr[11] = 0xff;
	packet->key.local_addr[10] = packet->key.local_addr[11] = 0xff;
	__builtin_memcpy(packet->key.remote_addr + 12, header + 12, 4);
	__builtin_memcpy(packet->key.local_addr + 12, header + 16, 4);
	return packet->l4_offset >= MEET_IPV4_LEN;
}

static __always_inline bool read_ipv6(struct __sk_buff *skb, struct meet_packet *packet)
{
	__u8 header[MEET_IPV6_LEN] __attribute__((aligned(8)));

	if (!read_bytes(skb, 0, header, sizeof(header)) || header[6] != IPPROTO_TCP)
		return false;
	packet->l4_offset = MEET_IPV6_LEN;
	__builtin_memcpy(packet->key.remote_addr, header + 8, 16);
	__builtin_memcpy(packet->key.local_addr, header + 24, 16);
	return true;
}

static __always_inline bool read_tcp(struct __sk_buff *skb, struct meet_packet *packet)
{
	__u8 header[TCP_MIN_HEADER] __attribute__((aligned(4)));

	if (!read_bytes(skb, packet->l4_offset, header, sizeof(header)))
		return false;
	packet->key.remote_port = bpf_ntohs(*(__be16 *)header);
	packet->key.local_port = bpf_ntohs(*(__be16 *)(header + 2));
	packet->seq = bpf_ntohl(*(__be32 *)(header + 4));
	packet->flags = header[13];
	return true;
}

static __always_inline bool packet_read(struct __sk_buff *skb, struct meet_packet *packet)
{
	__builtin_memset(packet, 0, sizeof(*packet));
	if (skb->protocol == bpf_htons(ETH_P_IP))
		return read_ipv4(skb, packet) && read_tcp(skb, packet);
	if (skb->protocol == bpf_htons(ETH_P_IPV6))
		return read_ipv6(skb, packet) && read_tcp(skb, packet);
	return false;
}

static __always_inline bool is_equal_addr(const __u8 *a, const volatile __u8 *b)
{
	for (int i = 0; i < 16; i++)
		if (a[i] != b[i])
			return false;
	return true;
}

/* Did it come in from the remote end of the 4-tuple to the local one? */
static __always_inline bool is_from_remote(const struct meet_packet *packet,
					   const volatile struct nol_flow_key *key)
{
	return packet->key.remote_port == key->remote_port &&
	       packet->key.local_port == key->local_port &&
	       is_equal_addr(packet->key.remote_addr, key->remote_addr) &&
	       is_equal_addr(packet->key.local_addr, key->local_addr);
}

static __always_inline bool is_from_local(const struct meet_packet *packet,
					  const volatile struct nol_flow_key *key)
{
	return packet->key.remote_port == key->local_port &&
	       packet->key.local_port == key->remote_port &&
	       is_equal_addr(packet->key.remote_addr, key->local_addr) &&
	       is_equal_addr(packet->key.local_addr, key->remote_addr);
}

#endif
