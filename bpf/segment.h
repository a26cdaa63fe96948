/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the verdict needs of a packet, read once into plain values: the rest of the program touches no packet
 * pointer, and knows only one kind of address.
 */
#ifndef NOLISTEN_BPF_SEGMENT_H
#define NOLISTEN_BPF_SEGMENT_H

#include "parse.h"

struct segment {
	struct nol_flow_key key __attribute__((aligned(8)));
	__u32 l3_offset, l4_offset; /* from the start of the frame */
	__u32 ip_len; /* as the IP header says, itself included */
	__u32 header_len; /* of TCP, options included, as the data offset says */
	__u32 seq, ack;
	__u32 tag; /* IPv4 identification or IPv6 flow label */
	__u8 flags;
	__u8 ttl; /* or hop limit */
	bool is_ipv4;
	bool is_group_frame; /* to a link-layer multicast or broadcast address */
};

/*
 * The key is written in the widest words that it is read in: a load that spans two stores waits for both to
 * leave the store buffer, which costs as much as a table lookup.
 */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define SEGMENT_FIRST_SHIFT 0
#else
#define SEGMENT_FIRST_SHIFT 1
#endif

/* Two values that follow each other in memory, as one of twice the width. */
static __always_inline __u64 join_words(__u32 first, __u32 second)
{
	return (__u64)first << SEGMENT_FIRST_SHIFT * 32 | (__u64)second
								  << (1 - SEGMENT_FIRST_SHIFT) * 32;
}

static __always_inline __u32 join_halves(__u16 first, __u16 second)
{
	return (__u32)first << SEGMENT_FIRST_SHIFT * 16 | (__u32)second
								  << (1 - SEGMENT_FIRST_SHIFT) * 16;
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

static __always_inline void read_ipv4(const struct iphdr *ip, struct segment *segment)
{
	segment->is_ipv4 = true;
	segment->ip_len = bpf_ntohs(ip->tot_len);
	segment->tag = bpf_ntohs(ip->id);
	segment->ttl = ip->ttl;
	map_ipv4(segment->key.local_addr, ip->daddr);
	map_ipv4(segment->key.remote_addr, ip->saddr);
}

static __always_inline void read_ipv6(const struct ipv6hdr *ip, struct segment *segment)
{
	segment->is_ipv4 = false;
	segment->ip_len = bpf_ntohs(ip->payload_len) + sizeof(*ip);
	segment->tag = bpf_ntohl(*(const __be32 *)ip) & IPV6_FLOW_LABEL_MASK;
	segment->ttl = ip->hop_limit;
	copy_ipv6(segment->key.local_addr, &ip->daddr);
	copy_ipv6(segment->key.remote_addr, &ip->saddr);
}

/* A packet that came in: local is its destination. */
static __always_inline void segment_read(const struct packet *packet, struct segment *segment)
{
	const struct tcphdr *tcp = packet->tcp;

	if (packet->is_ipv4)
		read_ipv4(packet->ip, segment);
	else
		read_ipv6(packet->ip, segment);
	*(__u32 *)&segment->key.local_port =
		join_halves(bpf_ntohs(tcp->dest), bpf_ntohs(tcp->source));
	segment->l3_offset = packet->l3_offset;
	segment->l4_offset = packet->l4_offset;
	segment->header_len = (((const __u8 *)tcp)[12] >> 4) * 4;
	segment->flags = ((const __u8 *)tcp)[13];
	segment->seq = bpf_ntohl(tcp->seq);
	segment->ack = bpf_ntohl(tcp->ack_seq);
	segment->is_group_frame = packet->is_group_frame;
}

/* The words of an address, as it is on the wire. */
static __always_inline const __be32 *words_of(const __u8 addr[16])
{
	return (const __be32 *)addr;
}

static __always_inline bool is_bare_syn(const struct segment *segment)
{
	__u8 mask = TCP_FLAG_SYN | TCP_FLAG_ACK | TCP_FLAG_RST;

	return (segment->flags & mask) == TCP_FLAG_SYN;
}

static __always_inline bool is_rst(const struct packet *packet)
{
	return ((const __u8 *)packet->tcp)[13] & TCP_FLAG_RST;
}

/* The same for a packet that goes out: local is its source. */
static __always_inline void segment_turn(struct segment *segment)
{
	struct nol_flow_key out = segment->key;

	__builtin_memcpy(segment->key.local_addr, out.remote_addr, 16);
	__builtin_memcpy(segment->key.remote_addr, out.local_addr, 16);
	segment->key.local_port = out.remote_port;
	segment->key.remote_port = out.local_port;
}

#endif
