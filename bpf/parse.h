/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From the start of a frame to its TCP header, for both directions and both families. What is not understood
 * is a result too: it never becomes TCP by accident.
 */
#ifndef NOLISTEN_BPF_PARSE_H
#define NOLISTEN_BPF_PARSE_H

#include "vmlinux.h"

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include <abi/abi.h>

#include "constants.h"
#include "net.h"

#define PARSE_MAX_EXTENSIONS 6

enum parse_result {
	PARSE_TCP,
	PARSE_NOT_TCP, /* or not understood */
	PARSE_CUT, /* the headers do not end before the linear part does */
	PARSE_FRAGMENT,
	PARSE_ODD, /* nobody answers such a thing */
};

struct cursor {
	void *data; /* the frame */
	void *pos;
	void *end; /* of what can be read directly */
	bool is_l3; /* it begins with the IP header */
};

struct packet {
	const void *ip; /* struct iphdr or struct ipv6hdr */
	const struct tcphdr *tcp;
	__u32 l3_offset; /* from the start of the frame */
	__u32 l4_offset;
	bool is_ipv4;
	bool is_group_frame; /* to a link-layer multicast or broadcast address */
};

/*
 * data and end are the context's 32-bit fields. Without the barrier clang copies them in 32-bit registers,
 * which makes numbers of pointers.
 */
static __always_inline struct cursor cursor_at(__u32 data, __u32 end)
{
	void *frame = (void *)(long)data;

	barrier_var(frame);
	return (struct cursor){
		.data = frame,
		.pos = frame,
		.end = (void *)(long)end,
		.is_l3 = !nol_has_link_header,
	};
}

/* An L3 device has no EtherType: the version says it. */
static __always_inline enum parse_result parse_version(struct cursor *cursor, __be16 *protocol)
{
	const __u8 *first = cursor->pos;

	if ((void *)(first + 1) > cursor->end)
		return PARSE_CUT;
	*protocol = *first >> 4 == 6 ? bpf_htons(ETH_P_IPV6) : bpf_htons(ETH_P_IP);
	return PARSE_TCP;
}

static __always_inline bool is_vlan(__be16 protocol)
{
	return protocol == bpf_htons(ETH_P_8021Q) || protocol == bpf_htons(ETH_P_8021AD);
}

static __always_inline enum parse_result parse_link(struct cursor *cursor, struct packet *packet,
						    __be16 *protocol)
{
	const struct ethhdr *eth = cursor->pos;
	const __be16 *tag = (void *)(eth + 1);

	if (cursor->is_l3)
		return parse_version(cursor, protocol);
	if ((void *)(eth + 1) > cursor->end)
		return PARSE_CUT;
	packet->is_group_frame = eth->h_dest[0] & 1;
	*protocol = eth->h_proto;
	cursor->pos = (void *)(eth + 1);
	if (!is_vlan(*protocol))
		return PARSE_TCP;
	if ((void *)(tag + 2) > cursor->end)
		return PARSE_CUT;
	if (tag[0] & bpf_htons(VLAN_ID_MASK))
		return PARSE_NOT_TCP;
	*protocol = tag[1];
	cursor->pos = (void *)(tag + 2);
	return PARSE_TCP;
}

static __always_inline enum parse_result parse_ipv4(struct cursor *cursor, struct packet *packet)
{
	const struct iphdr *ip = cursor->pos;

	if ((void *)(ip + 1) > cursor->end)
		return PARSE_CUT;
	if (ip->version != 4 || ip->protocol != IPPROTO_TCP)
		return PARSE_NOT_TCP;
	if (ip->frag_off & bpf_htons(IPV4_FRAGMENT_MASK))
		return PARSE_FRAGMENT;
	if (ip->ihl < 5)
		return PARSE_ODD;
	packet->ip = ip;
	packet->is_ipv4 = true;
	cursor->pos += ip->ihl * 4;
	return PARSE_TCP;
}

/* One extension header. An atomic fragment (RFC 6946) is a whole packet. */
static __always_inline enum parse_result parse_extension(struct cursor *cursor, __u8 *next)
{
	const __u8 *header = cursor->pos;

	if (*next != IPV6_NEXT_HOP_BY_HOP && *next != IPV6_NEXT_DESTINATION &&
	    *next != IPV6_NEXT_FRAGMENT)
		return PARSE_NOT_TCP;
	if ((void *)(header + 8) > cursor->end)
		return PARSE_CUT;
	if (*next == IPV6_NEXT_FRAGMENT) {
		if (*(const __be16 *)(header + 2) & bpf_htons(IPV6_FRAGMENT_MASK))
			return PARSE_FRAGMENT;
		cursor->pos += 8;
	} else {
		cursor->pos += (header[1] + 1) * 8;
	}
	*next = header[0];
	return PARSE_TCP;
}

static __always_inline enum parse_result parse_ipv6(struct cursor *cursor, struct packet *packet)
{
	const struct ipv6hdr *ip = cursor->pos;
	enum parse_result result;
	__u8 next;

	if ((void *)(ip + 1) > cursor->end)
		return PARSE_CUT;
	if (ip->version != 6)
		return PARSE_NOT_TCP;
	packet->ip = ip;
	cursor->pos = (void *)(ip + 1);
	next = ip->nexthdr;
	for (int i = 0; i < PARSE_MAX_EXTENSIONS; i++) {
		if (next == IPPROTO_TCP)
			return PARSE_TCP;
		result = parse_extension(cursor, &next);
		if (result != PARSE_TCP)
			return result;
	}
	return next == IPPROTO_TCP ? PARSE_TCP : PARSE_NOT_TCP;
}

/* Link, network and the fixed part of the TCP header. *packet has to be zero. */
static __always_inline enum parse_result parse_tcp(struct cursor *cursor, struct packet *packet)
{
	enum parse_result result;
	__be16 protocol;

	result = parse_link(cursor, packet, &protocol);
	if (result != PARSE_TCP)
		return result;
	packet->l3_offset = cursor->pos - cursor->data;
	if (protocol == bpf_htons(ETH_P_IP))
		result = parse_ipv4(cursor, packet);
	else if (protocol == bpf_htons(ETH_P_IPV6))
		result = parse_ipv6(cursor, packet);
	else
		result = PARSE_NOT_TCP;
	if (result != PARSE_TCP)
		return result;
	packet->tcp = cursor->pos;
	packet->l4_offset = cursor->pos - cursor->data;
	if ((void *)(packet->tcp + 1) > cursor->end)
		return PARSE_CUT;
	return PARSE_TCP;
}

#endif
