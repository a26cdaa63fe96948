/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Connect-back, on the way out: the SYN of the socket that connect()s back becomes the SYN-ACK that the remote waits
 * for. Its length stays: an option that the remote did not offer becomes NOPs.
 */
#ifndef NOLISTEN_BPF_BACK_ANSWER_H
#define NOLISTEN_BPF_BACK_ANSWER_H

#include "back.h"
#include "guard.h"

#define BACK_OFFSET_ACK 8
#define BACK_OFFSET_RESERVED 12
#define BACK_OFFSET_FLAGS 13
#define BACK_OFFSET_WINDOW 14
#define BACK_OFFSET_CHECK 16

/* A bare SYN from an answered port. The kernel's own have their headers in the linear part. */
static __always_inline bool back_may_answer(struct __sk_buff *skb)
{
	struct packet packet;

	if (parse_skb(skb, &packet) != PARSE_TCP || is_of_other_vlan(skb))
		return false;
	return (((const __u8 *)packet.tcp)[13] & (TCP_FLAG_SYN | TCP_FLAG_ACK | TCP_FLAG_RST)) ==
		       TCP_FLAG_SYN &&
	       is_port_answered(bpf_ntohs(packet.tcp->source));
}

/* Without ECE, CWR and the bit of accurate ECN: the remote's SYN was not asked. */
static __always_inline void write_syn_ack(struct back_header *header, const struct nol_back *back)
{
	back_put32(header, BACK_OFFSET_ACK, back->remote_isn + 1);
	header->bytes[BACK_OFFSET_RESERVED] &= 0xf0;
	header->bytes[BACK_OFFSET_FLAGS] = TCP_FLAG_SYN | TCP_FLAG_ACK;
	back_walk(header, back->remote_offers | NOL_OFFER_MSS);
	if (header->found & NOL_OFFER_TIMESTAMPS)
		back_put32(header, header->ts_pos + 4, back->remote_tsval);
}

static __always_inline void note_syn_ack(struct nol_back *back, struct back_header *header)
{
	if (header->found & NOL_OFFER_TIMESTAMPS)
		back->last_tsval = back_get32(header, header->ts_pos);
	if (!back->syn_acks)
		back->first_tsval = back->last_tsval;
	back->local_offers = header->found;
	back->local_mss = header->mss;
	back->local_wscale = header->wscale;
	back->local_window = back_get16(header, BACK_OFFSET_WINDOW);
	back->syn_acks++;
	back->sent_ns = bpf_ktime_get_ns();
	count(back_syn_ack);
}

/*
 * The checksum of a packet of our own is most often left to the device, and then covers the pseudo-header only:
 * bpf_l4_csum_replace() knows. It takes a difference, so only the old and the new header have to be summed up.
 */
static __always_inline bool replace_header(struct __sk_buff *skb, __u32 offset,
					   struct back_header *old, struct back_header *header)
{
	__s64 diff = bpf_csum_diff((__be32 *)old->bytes, BACK_BUFFER, (__be32 *)header->bytes,
				   BACK_BUFFER, 0);
	__u32 len = header->len;

	if (diff < 0 || len < TCP_MIN_HEADER || len > TCP_MIN_HEADER + BACK_MAX_OPTIONS)
		return false;
	return !bpf_skb_store_bytes(skb, offset, header->bytes, back_bounded(len), 0) &&
	       !bpf_l4_csum_replace(skb, offset + BACK_OFFSET_CHECK, 0, diff, 0);
}

static __always_inline bool load_header(struct __sk_buff *skb, const struct facts *facts,
					struct back_header *header)
{
	__u32 len = facts->header_len;

	if (len < TCP_MIN_HEADER || len > TCP_MIN_HEADER + BACK_MAX_OPTIONS)
		return false;
	header->len = len;
	return !bpf_skb_load_bytes(skb, facts->l4_offset, header->bytes, back_bounded(len));
}

/* A SYN that cannot become a SYN-ACK must not get out: to the remote it would be a simultaneous open. */
static __always_inline int drop_odd_syn(struct __sk_buff *skb)
{
	count(back_odd);
	capture_egress(skb, DROPPED, back_odd);
	return TC_ACT_SHOT;
}

static __noinline int back_answer(struct __sk_buff *skb)
{
	struct back_header header = {}, old = {};
	struct facts facts;
	struct packet packet;
	struct nol_back *back;

	if (parse_skb(skb, &packet) != PARSE_TCP)
		return GUARD_LET_GO;
	facts_read(&packet, &facts);
	segment_turn(&facts);
	back = back_find(&facts.key);
	if (!back)
		return GUARD_LET_GO;
	if (facts.seq != back->local_iss || !load_header(skb, &facts, &header))
		return drop_odd_syn(skb);
	__builtin_memcpy(old.bytes, header.bytes, BACK_BUFFER);
	write_syn_ack(&header, back);
	if (!replace_header(skb, facts.l4_offset, &old, &header))
		return drop_odd_syn(skb);
	note_syn_ack(back, &header);
	capture_egress(skb, SENT, back_syn_ack);
	return GUARD_LET_GO;
}

#endif
