/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * TC ingress behind generic XDP: where that has copied a packet (on veth nearly each), the kernel has forgotten how long
 * its link header is (skb->mac_len, as of Linux 6.18), and programs at TC see the frame from the IP header on.
 */
#ifndef NOLISTEN_BPF_INGRESS_LINK_H
#define NOLISTEN_BPF_INGRESS_LINK_H

#include "guard.h"

/* What is in front of us is compared with where the kernel knows the IP header to be. */
static __always_inline bool lacks_link_header(struct __sk_buff *skb)
{
	struct cursor cursor = cursor_at(skb->data, skb->data_end);
	const __be32 *words = cursor.data;
	__be32 first = 0;

	if (!nol_has_link_header || !nol_is_generic)
		return false;
	if ((void *)words + sizeof(struct ethhdr) + 4 > cursor.end ||
	    bpf_skb_load_bytes_relative(skb, 0, &first, sizeof(first), BPF_HDR_START_NET))
		return false;
	return *(const __be32 *)((void *)words + sizeof(struct ethhdr)) != first;
}

/* It is still there, in front of the IP header. False: it cannot be had back. */
static __always_inline bool restore_link_header(struct __sk_buff *skb)
{
	__u8 link[sizeof(struct ethhdr)];

	return !bpf_skb_load_bytes_relative(skb, 0, link, sizeof(link), BPF_HDR_START_MAC) &&
	       !bpf_skb_change_head(skb, sizeof(link), 0) &&
	       !bpf_skb_store_bytes(skb, 0, link, sizeof(link), 0);
}

static __always_inline enum parse_result parse_ingress(struct __sk_buff *skb, struct packet *packet,
						       bool is_l3)
{
	struct cursor cursor = cursor_at(skb->data, skb->data_end);

	cursor.is_l3 = is_l3;
	__builtin_memset(packet, 0, sizeof(*packet));
	return parse_tcp(&cursor, packet);
}

/* True: it is TCP. Headers that are not at hand are fetched. */
static __always_inline bool find_tcp(struct __sk_buff *skb, struct packet *packet)
{
	bool is_l3 = !nol_has_link_header;
	const __u32 len = skb->len < GUARD_MAX_HEADERS ? skb->len : GUARD_MAX_HEADERS;
	enum parse_result result = parse_ingress(skb, packet, is_l3);

	/* Looked for only then: what reads as TCP behind a link header has one. */
	if (result == PARSE_NOT_TCP && lacks_link_header(skb)) {
		is_l3 = true;
		result = parse_ingress(skb, packet, is_l3);
	}
	if (result == PARSE_CUT && is_linear_short(skb) && !bpf_skb_pull_data(skb, len))
		result = parse_ingress(skb, packet, is_l3);
	if (result != PARSE_TCP)
		pass_unparsed(result);
	return result == PARSE_TCP;
}

#endif
