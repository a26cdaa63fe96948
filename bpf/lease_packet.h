/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Packets at TC, for the lease guard. */
#ifndef NOLISTEN_BPF_LEASE_PACKET_H
#define NOLISTEN_BPF_LEASE_PACKET_H

#include "facts.h"

#define LEASE_MAX_HEADERS 256

/*
 * Behind generic XDP a frame may have lost its link header (see ingress_link.h): what is in its place is not what the kernel
 * has read there.
 */
static __always_inline bool begins_with_ip(struct __sk_buff *skb, const struct cursor *cursor)
{
	const struct ethhdr *eth = cursor->data;

	return !nol_has_link_header ||
	       ((void *)(eth + 1) <= cursor->end && eth->h_proto != (__be16)skb->protocol);
}

static __always_inline enum parse_result read_ingress(struct __sk_buff *skb, struct packet *packet)
{
	struct cursor cursor = cursor_at(skb->data, skb->data_end);

	cursor.is_l3 = begins_with_ip(skb, &cursor);
	__builtin_memset(packet, 0, sizeof(*packet));
	return parse_tcp(&cursor, packet);
}

static __always_inline enum parse_result read_linear(struct __sk_buff *skb, struct packet *packet)
{
	struct cursor cursor = cursor_at(skb->data, skb->data_end);

	__builtin_memset(packet, 0, sizeof(*packet));
	return parse_tcp(&cursor, packet);
}

/* Headers that are not at hand are fetched. */
static __always_inline enum parse_result read_egress(struct __sk_buff *skb, struct packet *packet)
{
	enum parse_result result = read_linear(skb, packet);
	const __u32 len = skb->len < LEASE_MAX_HEADERS ? skb->len : LEASE_MAX_HEADERS;

	if (result == PARSE_CUT && skb->data_end - skb->data < len && !bpf_skb_pull_data(skb, len))
		result = read_linear(skb, packet);
	return result;
}

/* A tag that the device takes off or sets: another VLAN's packets are not ours. */
static __always_inline bool is_of_other_vlan(struct __sk_buff *skb)
{
	return skb->vlan_present && skb->vlan_tci & VLAN_ID_MASK;
}

#endif
