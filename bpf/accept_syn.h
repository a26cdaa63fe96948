/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Method accept at TC ingress: the SYNs that XDP has not answered, because there is no XDP, because its replies do not arrive
 * yet, or because they are out of the ordinary: IP options, extension headers, data, a TIME-WAIT socket on their 4-tuple. The
 * packet becomes its SYN-ACK, as in XDP, and leaves by the interface that it came in by.
 */
#ifndef NOLISTEN_BPF_ACCEPT_SYN_H
#define NOLISTEN_BPF_ACCEPT_SYN_H

#include "answer.h"
#include "classify.h"
#include "ingress_link.h"

#define SKB_CHUNK 64 /* bytes of a segment that are summed at a time */
#define SKB_CHUNKS 1024 /* at most: 64 KB */
#define SKB_FLAGS_RST 0x04

static __always_inline bool read_skb_options(struct __sk_buff *skb, const struct facts *facts,
					     struct options_walk *walk)
{
	__u32 len = facts->header_len - TCP_MIN_HEADER;

	if (len == 0)
		return true;
	if (len > OPTIONS_MAX_LEN)
		return false;
	if (bpf_skb_load_bytes(skb, facts->l4_offset + TCP_MIN_HEADER, walk->bytes,
			       bounded(len, 4, OPTIONS_MAX_LEN)))
		return false;
	walk_options(walk, len);
	return true;
}

/* A sum of a segment, chunk by chunk. */
struct segment_sum {
	struct __sk_buff *skb;
	__u32 pos, end; /* from the start of the frame */
	__u32 sum;
	bool is_cut;
};

static long sum_chunk(__u32 index, void *context)
{
	struct segment_sum *sum = context;
	__u32 left = sum->end - sum->pos;
	__u32 len = left < SKB_CHUNK ? left : SKB_CHUNK;
	__u8 bytes[SKB_CHUNK] = {};

	if (!left || left > 65535)
		return 1;
	if (bpf_skb_load_bytes(sum->skb, sum->pos, bytes, bounded(len, 1, SKB_CHUNK))) {
		sum->is_cut = true;
		return 1;
	}
	sum->sum = bpf_csum_diff(NULL, 0, (__be32 *)bytes, sizeof(bytes), sum->sum);
	sum->pos += len;
	return 0;
}

/* *is_partial: a local sender has left the checksum to the device, which still has to know it like that. */
LOOKED_AT_ONCE bool is_skb_checksum_good(struct __sk_buff *skb, const struct facts *facts,
					 bool *is_partial)
{
	struct segment_sum sum = {.skb = skb};
	__u64 pseudo;
	__u16 check;
	__u32 len;

	if (!facts || !is_partial)
		return false;
	len = facts->l3_offset + facts->ip_len - facts->l4_offset;
	pseudo = sum_pseudo(facts, len);
	sum.pos = facts->l4_offset;
	sum.end = facts->l4_offset + len;
	if (bpf_skb_load_bytes(skb, facts->l4_offset + 16, &check, sizeof(check)))
		return false;
	*is_partial = check == fold_sum(pseudo);
	/* Or a device has looked already. */
	if (*is_partial || bpf_csum_level(skb, BPF_CSUM_LEVEL_QUERY) >= 0)
		return true;
	bpf_loop(SKB_CHUNKS, sum_chunk, &sum, 0);
	return !sum.is_cut && fold_sum(sum.sum + pseudo) == 0xffff;
}

/* Is the frame shorter than IP says? What it is longer by is padding. */
static __always_inline bool is_cut_skb(const struct __sk_buff *skb, const struct facts *facts)
{
	return has_odd_header(facts) || facts->l3_offset + facts->ip_len > skb->len;
}

static __always_inline bool has_odd_skb(const struct __sk_buff *skb, const struct facts *facts)
{
	if (facts->is_group_frame || facts->l3_offset != link_header_len())
		return true;
	if (facts->is_ipv4 ? has_odd_ipv4(&facts->key) : has_odd_ipv6(&facts->key))
		return true;
	return is_cut_skb(skb, facts);
}

#define IP_OPTION_LSRR 131
#define IP_OPTION_SSRR 137

static long ip_options_step(__u32 index, void *context)
{
	struct options_walk *walk = context;
	__u32 kind = options_byte(walk, walk->pos), len = options_byte(walk, walk->pos + 1);

	if (walk->pos >= walk->len || kind == OPTION_END)
		return 1;
	if (kind == IP_OPTION_LSRR || kind == IP_OPTION_SSRR) {
		walk->found.has = 1;
		return 1;
	}
	if (kind != OPTION_NOP && len < 2)
		return 1;
	walk->pos += kind == OPTION_NOP ? 1 : len;
	return 0;
}

/* The kernel drops what has a source route. True as well if it cannot be told. */
LOOKED_AT_ONCE bool has_source_route(struct __sk_buff *skb, const struct facts *facts)
{
	struct options_walk walk = {};
	__u32 at, len;

	if (!facts)
		return true;
	at = facts->l3_offset + sizeof(struct iphdr);
	walk.len = len = facts->l4_offset - at;
	if (!facts->is_ipv4 || !len)
		return false;
	if (len > OPTIONS_MAX_LEN ||
	    bpf_skb_load_bytes(skb, at, walk.bytes, bounded(len, 4, OPTIONS_MAX_LEN)))
		return true;
	bpf_loop(OPTIONS_MAX_LEN, ip_options_step, &walk, 0);
	return walk.found.has;
}

#define IPV4_HEADER_MAX 60

/* The kernel would drop it, but looks at the header's checksum only behind TC. */
LOOKED_AT_ONCE bool has_bad_ipv4_sum(struct __sk_buff *skb, const struct facts *facts)
{
	__u8 header[IPV4_HEADER_MAX] = {};
	__u32 len;

	if (!facts)
		return true;
	len = facts->l4_offset - facts->l3_offset;
	if (!facts->is_ipv4)
		return false;
	if (len > IPV4_HEADER_MAX ||
	    bpf_skb_load_bytes(skb, facts->l3_offset, header, bounded(len, 20, IPV4_HEADER_MAX)))
		return true;
	return fold_sum(bpf_csum_diff(NULL, 0, (__be32 *)header, sizeof(header), 0)) != 0xffff;
}

static __always_inline void swap_skb_link(struct __sk_buff *skb)
{
	__u16 halves[6], swapped[6];

	if (!nol_has_link_header || bpf_skb_load_bytes(skb, 0, halves, sizeof(halves)))
		return;
	for (int i = 0; i < 6; i++)
		swapped[i] = halves[(i + 3) % 6];
	bpf_skb_store_bytes(skb, 0, swapped, sizeof(swapped), 0);
}

/*
 * The frame becomes link header, plain IP header and this TCP header, whose checksum is complete. A function of its own, as
 * those of its callers: together they are more than a BPF stack.
 */
LOOKED_AT_ONCE bool write_skb(struct __sk_buff *skb, const struct facts *facts,
			      struct answer *answer, bool is_partial)
{
	const __u32 at = link_header_len();
	__u32 ip_len, tcp_len;
	__be32 ip[10] = {};

	if (!facts || !answer)
		return false;
	ip_len = ip_header_len(facts->is_ipv4);
	tcp_len = answer->count * 4;
	if (facts->is_ipv4)
		write_ipv4(ip, facts, ip_len + tcp_len);
	else
		write_ipv6(ip, facts, ip_len + tcp_len);
	if (is_partial)
		answer->words[ANSWER_CHECK_WORD] =
			join_halves(fold_sum(sum_pseudo(facts, tcp_len)), 0);
	if (bpf_skb_change_tail(skb, at + ip_len + tcp_len, 0) ||
	    bpf_skb_store_bytes(skb, at, ip, bounded(ip_len, 20, 40), BPF_F_RECOMPUTE_CSUM) ||
	    bpf_skb_store_bytes(skb, at + ip_len, answer->words, bounded(tcp_len, 20, 40),
				BPF_F_RECOMPUTE_CSUM))
		return false;
	swap_skb_link(skb);
	return true;
}

/* IP options and extension headers go; what is written afterwards has none. */
static __always_inline bool strip_skb(struct __sk_buff *skb, const struct facts *facts)
{
	__s32 extra = facts->l4_offset - facts->l3_offset - ip_header_len(facts->is_ipv4);

	if (skb->vlan_present && bpf_skb_vlan_pop(skb)) /* tag 0: no other comes here */
		return false;
	return !extra || !bpf_skb_adjust_room(skb, -extra, BPF_ADJ_ROOM_NET, 0);
}

/* What there is to know of a SYN beside its headers. */
struct syn_state {
	bool is_partial; /* see is_skb_checksum_good() */
	bool is_other; /* its 4-tuple is the kernel's, and not to be answered */
	bool has_time_wait; /* a TIME-WAIT socket has it, which this SYN replaces */
	__u32 rcv_nxt; /* RCV.NXT of that one */
};

static __always_inline void find_syn_owner(struct __sk_buff *skb, const struct facts *facts,
					   const struct options *options, struct syn_state *out)
{
	struct bpf_sock *sk = owner_find(skb, facts);
	struct time_wait old = {};

	if (!sk)
		return;
	if (sk->state == BPF_TCP_TIME_WAIT && time_wait_read(sk, &old))
		out->has_time_wait = is_time_wait_older(&old, facts, options);
	bpf_sk_release(sk);
	out->rcv_nxt = old.rcv_nxt;
	/* A listener that came after the connection takes its successor. */
	out->is_other = !out->has_time_wait || has_listener(skb, facts);
}

/* False: no SYN-ACK can be made of it, and it is as it was. */
static __always_inline bool build_skb_answer(struct answer *answer, const struct nol_cookie *config,
					     const struct facts *facts, struct options *options)
{
	struct cookie cookie;

	if (facts->flags & TCP_FLAG_FIN || !facts->key.remote_port || !has_plain_remote(facts))
		return false;
	decline_options(config, options);
	if (!cookie_make(config, facts, options, cookie_clock_ns(config), &cookie))
		return false;
	build_answer(answer, config, facts, options, &cookie);
	return true;
}

/* TC_ACT_REDIRECT: this is the SYN-ACK; else the verdict, TC_ACT_SHOT or TC_ACT_UNSPEC for the kernel's. */
LOOKED_AT_ONCE int judge_syn(struct __sk_buff *skb, const struct facts *facts,
			     struct syn_state *state, struct answer *answer)
{
	const struct nol_cookie *config = find_cookie_config();
	struct options_walk walk = {};

	if (!facts || !state || !answer)
		return TC_ACT_UNSPEC;
	if (!config || !read_skb_options(skb, facts, &walk) || has_odd_skb(skb, facts)) {
		count(ingress_odd);
		return TC_ACT_UNSPEC;
	}
	find_syn_owner(skb, facts, &walk.found, state);
	if (state->is_other) {
		count(ingress_owned);
		capture_ingress(skb, facts, PASSED, ingress_owned);
		return TC_ACT_UNSPEC;
	}
	/* Signed, with an option that only who has the key can check: a listener without one drops it. */
	if (!walk.is_signed && build_skb_answer(answer, config, facts, &walk.found))
		return TC_ACT_REDIRECT;
	count(accept_unfit);
	capture_ingress(skb, facts, DROPPED, accept_unfit);
	return TC_ACT_SHOT;
}

/*
 * The kernel drops the segment that completes a handshake if a TIME-WAIT socket has its place. A RST that is exact ends that
 * one (RFC 9293, 3.10.7.4; not with tcp_rfc1337): the SYN becomes one, once its SYN-ACK is on the way.
 */
LOOKED_AT_ONCE int become_rst(struct __sk_buff *skb, const struct facts *facts,
			      const struct syn_state *state)
{
	struct answer rst = {.count = 5};
	struct facts turned;
	__u16 check;

	if (!facts || !state)
		return TC_ACT_SHOT;
	turned = *facts;
	segment_turn(&turned);
	rst.words[0] = bpf_htonl((__u32)turned.key.local_port << 16 | turned.key.remote_port);
	rst.words[1] = bpf_htonl(state->rcv_nxt);
	rst.words[3] = bpf_htonl((5 << 12 | SKB_FLAGS_RST) << 16);
	check = ~fold_sum(sum_five(rst.words) + sum_pseudo(&turned, 20));
	rst.words[ANSWER_CHECK_WORD] = join_halves(check, 0);
	if (!write_skb(skb, &turned, &rst, state->is_partial))
		return TC_ACT_SHOT;
	return TC_ACT_UNSPEC;
}

static __always_inline int accept_syn(struct __sk_buff *skb, const struct facts *facts)
{
	struct syn_state state = {};
	struct answer answer = {};
	int verdict;

	if (has_source_route(skb, facts) || has_bad_ipv4_sum(skb, facts)) {
		count(ingress_odd);
		return TC_ACT_UNSPEC;
	}
	verdict = judge_syn(skb, facts, &state, &answer);
	if (verdict != TC_ACT_REDIRECT)
		return verdict;
	if (!is_skb_checksum_good(skb, facts, &state.is_partial)) {
		count(accept_unfit);
		capture_ingress(skb, facts, DROPPED, accept_unfit);
		return TC_ACT_SHOT;
	}
	capture_ingress(skb, facts, ANSWERED, cookie_sent);
	if (!strip_skb(skb, facts) || !write_skb(skb, facts, &answer, state.is_partial)) {
		count(accept_unfit);
		return TC_ACT_SHOT;
	}
	count(cookie_sent);
	capture_egress(skb, SENT, cookie_sent);
	if (!state.has_time_wait)
		return bpf_redirect(skb->ifindex, 0);
	bpf_clone_redirect(skb, skb->ifindex, 0);
	return become_rst(skb, facts, &state);
}

#endif
