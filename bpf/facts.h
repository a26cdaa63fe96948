/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the verdict needs of a packet, read once into plain values: the rest of the program touches no packet
 * pointer, and knows only one kind of address.
 */
#ifndef NOLISTEN_BPF_FACTS_H
#define NOLISTEN_BPF_FACTS_H

#include "parse.h"

struct facts {
	struct nol_flow_key key __attribute__((aligned(8)));
	__u32 l3_offset, l4_offset; /* from the start of the frame */
	__u32 ip_len; /* as the IP header says, itself included */
	__u32 header_len; /* of TCP, options included, as the data offset says */
	__u32 seq, ack;
	__u32 tag; /* IPv4 identification or IPv6 flow label */
	__u8 flags;
	__u8 ttl; /* or hop limit */
	__u8 ecn; /* of the IP header (RFC 3168, 5); method accept only */
	bool is_ipv4;
	bool is_group_frame; /* to a link-layer multicast or broadcast address */
};

/*
 * The key is written in the widest words that it is read in: a load that spans two stores waits for both to
 * leave the store buffer, which costs as much as a table lookup.
 */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define FIRST_SHIFT 0
#else
#define FIRST_SHIFT 1
#endif

/* Two values that follow each other in memory, as one of twice the width. */
static __always_inline __u64 join_words(__u32 first, __u32 second)
{
	return (__u64)first << FIRST_SHIFT * 32 | (__u64)second << (1 - FIRST_SHIFT) * 32;
}

static __always_inline __u32 join_halves(__u16 first, __u16 second)
{
	return (__u32)first << FIRST_SHIFT * 16 | (__u32)second << (1 - FIRST_SHIFT) * 16;
}

static __always_inline void map_ipv4(__u8 addr[16], __be32 ipv4)
{
	((__u64 *)addr)[0] = 0;
	((__u64 *)addr)[1] = join_words(bpf_htonl(0xffff), ipv4);
}

static __always_inline void copy_ipv6(__u8 addr[16], const void *from)
{
	const __be32 *words = from;

	((__u64 *)addr)[0] = join_words(words[0], words[1]);
	((__u64 *)addr)[1] = join_words(words[2], words[3]);
}

static __always_inline void read_ipv4(const struct iphdr *ip, struct facts *facts)
{
	facts->is_ipv4 = true;
	facts->ip_len = bpf_ntohs(ip->tot_len);
	facts->tag = bpf_ntohs(ip->id);
	facts->ttl = ip->ttl;
	facts->ecn = nol_accepts ? ip->tos & 3 : 0;
	map_ipv4(facts->key.local_addr, ip->daddr);
	map_ipv4(facts->key.remote_addr, ip->saddr);
}

static __always_inline void read_ipv6(const struct ipv6hdr *ip, struct facts *facts)
{
	facts->is_ipv4 = false;
	facts->ip_len = bpf_ntohs(ip->payload_len) + sizeof(*ip);
	facts->tag = bpf_ntohl(*(const __be32 *)ip) & IPV6_FLOW_LABEL_MASK;
	facts->ttl = ip->hop_limit;
	facts->ecn = nol_accepts ? bpf_ntohl(*(const __be32 *)ip) >> 20 & 3 : 0;
	copy_ipv6(facts->key.local_addr, &ip->daddr);
	copy_ipv6(facts->key.remote_addr, &ip->saddr);
}

/* A packet that came in: local is its destination. */
static __always_inline void facts_read(const struct packet *packet, struct facts *facts)
{
	const struct tcphdr *tcp = packet->tcp;

	if (packet->is_ipv4)
		read_ipv4(packet->ip, facts);
	else
		read_ipv6(packet->ip, facts);
	*(__u32 *)&facts->key.local_port =
		join_halves(bpf_ntohs(tcp->dest), bpf_ntohs(tcp->source));
	facts->l3_offset = packet->l3_offset;
	facts->l4_offset = packet->l4_offset;
	facts->header_len = (((const __u8 *)tcp)[12] >> 4) * 4;
	facts->flags = ((const __u8 *)tcp)[13];
	facts->seq = bpf_ntohl(tcp->seq);
	facts->ack = bpf_ntohl(tcp->ack_seq);
	facts->is_group_frame = packet->is_group_frame;
}

/* The words of an address, as it is on the wire. */
static __always_inline const __be32 *words_of(const __u8 addr[16])
{
	return (const __be32 *)addr;
}

static __always_inline bool is_bare_syn(const struct facts *facts)
{
	__u8 mask = TCP_FLAG_SYN | TCP_FLAG_ACK | TCP_FLAG_RST;

	return (facts->flags & mask) == TCP_FLAG_SYN;
}

static __always_inline bool is_rst(const struct packet *packet)
{
	return ((const __u8 *)packet->tcp)[13] & TCP_FLAG_RST;
}

/* The same for a packet that goes out: local is its source. */
static __always_inline void segment_turn(struct facts *facts)
{
	struct nol_flow_key out = facts->key;

	__builtin_memcpy(facts->key.local_addr, out.remote_addr, 16);
	__builtin_memcpy(facts->key.remote_addr, out.local_addr, 16);
	facts->key.local_port = out.remote_port;
	facts->key.remote_port = out.local_port;
}

#endif
