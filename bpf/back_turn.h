/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Connect-back, on the way in: the ACK that completes the remote's handshake becomes the SYN-ACK that completes our
 * socket's. Only an ACK without any oddity; user space makes the SYN-ACK for the others, and for those with data.
 */
#ifndef NOLISTEN_BPF_BACK_TURN_H
#define NOLISTEN_BPF_BACK_TURN_H

#include "back.h"
#include "owner.h"

#define TURN_TCP_LEN 40 /* every option has its place, or NOPs in its place */
#define TURN_MAX_WINDOW 65535
#define TURN_SIGNATURE_LEN 18

/* The headers of the SYN-ACK that is made. */
struct turn_made {
	__u8 link[16];
	__u8 ip[40] __attribute__((aligned(8)));
	__u8 tcp[TURN_TCP_LEN] __attribute__((aligned(8)));
};

/* All frames of a program together have 512 bytes of stack, each rounded up to 32 before Linux 6.8. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct turn_made);
} nol_turn SEC(".maps");

struct turn {
	struct back_header ack; /* bpf_loop()'s context has to be on the stack */
	struct turn_made *made;
};

static __always_inline __u32 turn_ip_len(const struct facts *facts)
{
	return facts->is_ipv4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
}

/*
 * No payload, no IP options or extension headers, no VLAN tag; and no more TCP options than a bare ACK may have, among
 * which there is no room for a signature.
 */
static __always_inline bool is_plain_ack(const struct facts *facts)
{
	const __u8 mask = TCP_FLAG_SYN | TCP_FLAG_ACK | TCP_FLAG_RST | TCP_FLAG_FIN | TCP_FLAG_URG;
	__u32 l3_offset = nol_has_link_header ? sizeof(struct ethhdr) : 0;

	return (facts->flags & mask) == TCP_FLAG_ACK && facts->l3_offset == l3_offset &&
	       facts->header_len < TCP_MIN_HEADER + TURN_SIGNATURE_LEN &&
	       facts->l4_offset == l3_offset + turn_ip_len(facts) &&
	       facts->ip_len == turn_ip_len(facts) + facts->header_len;
}

static __always_inline bool load_headers(struct xdp_md *ctx, const struct facts *facts,
					 struct turn *turn)
{
	__u32 len = facts->header_len;

	if (len < TCP_MIN_HEADER || len > TCP_MIN_HEADER + BACK_MAX_OPTIONS)
		return false;
	turn->ack.len = len;
	if (bpf_xdp_load_bytes(ctx, facts->l4_offset, turn->ack.bytes, back_bounded(len)))
		return false;
	if (nol_has_link_header &&
	    bpf_xdp_load_bytes(ctx, 0, turn->made->link, sizeof(struct ethhdr)))
		return false;
	if (facts->is_ipv4)
		return !bpf_xdp_load_bytes(ctx, facts->l3_offset, turn->made->ip,
					   sizeof(struct iphdr));
	return !bpf_xdp_load_bytes(ctx, facts->l3_offset, turn->made->ip, sizeof(struct ipv6hdr));
}

/* Whole, or left to a device by a local sender: then only the pseudo-header's sum is in it. */
static __always_inline bool is_ack_checked(const struct facts *facts, struct turn *turn)
{
	__u32 pseudo = back_pseudo_sum(turn->made->ip, facts->is_ipv4, facts->header_len);
	__u32 whole = bpf_csum_diff(NULL, 0, (__be32 *)turn->ack.bytes, BACK_BUFFER, pseudo);
	__u16 field = bpf_htons(back_get16(&turn->ack, 16));

	return back_fold(whole) == 0xffff || field == back_fold(pseudo);
}

/* The engine's rules for the segment that completes a handshake, less what user space may still accept. */
static __always_inline bool is_acceptable(const struct nol_back *back, struct back_header *ack)
{
	__u32 agreed = back->remote_offers & back->local_offers & NOL_OFFER_TIMESTAMPS;
	__u32 tsval, tsecr;

	if (!back->sent_ns || back_get32(ack, 8) != back->local_iss + 1 ||
	    back_get32(ack, 4) - (back->remote_isn + 1) >= back->local_window)
		return false;
	if (!agreed)
		return true;
	if (!(ack->found & NOL_OFFER_TIMESTAMPS))
		return false;
	tsval = back_get32(ack, ack->ts_pos);
	tsecr = back_get32(ack, ack->ts_pos + 4);
	return (__s32)(tsval - back->remote_tsval) >= 0 &&
	       tsecr - back->first_tsval <= back->last_tsval - back->first_tsval;
}

/* A socket that is connected already would take the SYN-ACK for an attack (RFC 5961, 4). */
static __always_inline bool is_awaited(struct xdp_md *ctx, const struct facts *facts)
{
	struct bpf_sock *sk = owner_find(ctx, facts);
	bool is_syn_sent;

	if (!sk)
		return false;
	is_syn_sent = sk->state == BPF_TCP_SYN_SENT;
	bpf_sk_release(sk);
	return is_syn_sent;
}

static __always_inline void turn_put16(__u8 *at, __u16 value)
{
	at[0] = value >> 8;
	at[1] = value;
}

static __always_inline void turn_put32(__u8 *at, __u32 value)
{
	turn_put16(at, value >> 16);
	turn_put16(at + 2, value);
}

/* In Linux's order. Timestamps go with those of the ACK; others as they stood in the remote's SYN. */
static __always_inline void write_turned_options(__u8 *at, const struct nol_back *back,
						 struct back_header *ack)
{
	__builtin_memset(at, BACK_KIND_NOP, TURN_TCP_LEN - TCP_MIN_HEADER);
	if (back->remote_offers & NOL_OFFER_MSS) {
		turn_put16(at, BACK_KIND_MSS << 8 | BACK_LEN_MSS);
		turn_put16(at + 2, back->remote_mss);
	}
	if (back->remote_offers & NOL_OFFER_SACK)
		turn_put16(at + 4, BACK_KIND_SACK << 8 | BACK_LEN_SACK);
	if (back->remote_offers & back->local_offers & NOL_OFFER_TIMESTAMPS) {
		turn_put16(at + 6, BACK_KIND_TIMESTAMPS << 8 | BACK_LEN_TIMESTAMPS);
		turn_put32(at + 8, back_get32(ack, ack->ts_pos));
		turn_put32(at + 12, back_get32(ack, ack->ts_pos + 4));
	}
	if (back->remote_offers & NOL_OFFER_WSCALE) {
		turn_put16(at + 17, BACK_KIND_WSCALE << 8 | BACK_LEN_WSCALE);
		at[19] = back->remote_wscale;
	}
}

/* The window of a SYN-ACK is never scaled (RFC 7323, 2.2). */
static __always_inline __u16 unscaled_window(const struct nol_back *back, struct back_header *ack)
{
	__u32 shift = back->remote_offers & back->local_offers & NOL_OFFER_WSCALE
			      ? back->remote_wscale & 15
			      : 0;
	__u32 window = (__u32)back_get16(ack, 14) << shift;

	return window > TURN_MAX_WINDOW ? TURN_MAX_WINDOW : window;
}

static __always_inline void write_turned(struct turn *turn, const struct nol_back *back)
{
	__builtin_memcpy(turn->made->tcp, turn->ack.bytes, 4); /* the ports */
	turn_put32(turn->made->tcp + 4, back->remote_isn);
	turn_put32(turn->made->tcp + 8, back->local_iss + 1);
	turn->made->tcp[12] = TURN_TCP_LEN / 4 << 4;
	turn->made->tcp[13] = TCP_FLAG_SYN | TCP_FLAG_ACK;
	turn_put16(turn->made->tcp + 14, unscaled_window(back, &turn->ack));
	turn_put32(turn->made->tcp + 16, 0);
	write_turned_options(turn->made->tcp + TCP_MIN_HEADER, back, &turn->ack);
}

static __always_inline void seal_turned(struct turn *turn, const struct facts *facts)
{
	__u32 sum;
	__u16 check;

	if (facts->is_ipv4) {
		turn_put16(turn->made->ip + 2, sizeof(struct iphdr) + TURN_TCP_LEN);
		turn_put16(turn->made->ip + 10, 0);
		sum = bpf_csum_diff(NULL, 0, (__be32 *)turn->made->ip, sizeof(struct iphdr), 0);
		check = ~back_fold(sum);
		__builtin_memcpy(turn->made->ip + 10, &check, sizeof(check));
	} else {
		turn_put16(turn->made->ip + 4, TURN_TCP_LEN);
	}
	sum = back_pseudo_sum(turn->made->ip, facts->is_ipv4, TURN_TCP_LEN);
	sum = bpf_csum_diff(NULL, 0, (__be32 *)turn->made->tcp, TURN_TCP_LEN, sum);
	check = ~back_fold(sum);
	__builtin_memcpy(turn->made->tcp + 16, &check, sizeof(check));
}

/* What follows the headers can only be padding, which the IP length leaves out. */
static __always_inline bool store_headers(struct xdp_md *ctx, const struct facts *facts,
					  struct turn *turn)
{
	long err;

	if (bpf_xdp_adjust_head(ctx, (int)facts->header_len - TURN_TCP_LEN))
		return false;
	if (facts->is_ipv4)
		err = bpf_xdp_store_bytes(ctx, facts->l3_offset, turn->made->ip,
					  sizeof(struct iphdr));
	else
		err = bpf_xdp_store_bytes(ctx, facts->l3_offset, turn->made->ip,
					  sizeof(struct ipv6hdr));
	err |= bpf_xdp_store_bytes(ctx, facts->l4_offset, turn->made->tcp, TURN_TCP_LEN);
	if (nol_has_link_header)
		err |= bpf_xdp_store_bytes(ctx, 0, turn->made->link, sizeof(struct ethhdr));
	return !err;
}

/* True: the packet is the SYN-ACK now. False: it is as it was. */
static __noinline bool back_turn(struct xdp_md *ctx, const struct facts *facts)
{
	struct nol_back *back = back_find(&facts->key);
	const __u32 first = 0;
	struct turn turn = {.made = bpf_map_lookup_elem(&nol_turn, &first)};

	if (!turn.made || !back || !is_plain_ack(facts) || !load_headers(ctx, facts, &turn) ||
	    !is_ack_checked(facts, &turn))
		return false;
	back_walk(&turn.ack, NOL_OFFER_TIMESTAMPS);
	if (!is_acceptable(back, &turn.ack) || !is_awaited(ctx, facts))
		return false;
	write_turned(&turn, back);
	seal_turned(&turn, facts);
	if (!store_headers(ctx, facts, &turn))
		return false;
	__sync_fetch_and_add(&back->turned, 1);
	count(back_ack);
	return true;
}

#endif
