/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What belongs to no flow, no kernel socket and no cookie ends here, without user space: a RST is dropped, an ACK gets its
 * RST, made of it in place; what a listener ignores (RFC 9293, 3.10.7.2) is ignored. The answers are those of
 * user/engine/listen.c, by the same limit.
 *
 * Given to user space, so many a second, are those about which more has to be known:
 * - data: the segment behind a cookie's may have overtaken it on another processor, and the engine knows. Its checksum
 *   would be a walk over the packet, too, and in generic mode it may be a GSO packet, whose
 *   segment size would stay when it is cut;
 * - IP options and extension headers, a tagged frame, options that may be a signature, lo;
 * - all of them for a second after the flow table had no room: they may be of a flow that has no entry yet.
 *
 * While there is no loader they are dropped: they may be of a flow whose first segment waits for the next one.
 *
 * No reply is longer than what provoked it, and all together are limited, challenge ACKs included.
 */
#ifndef NOLISTEN_BPF_STRAY_H
#define NOLISTEN_BPF_STRAY_H

#include "answer_write.h"
#include "hold.h"

#define STRAY_OVERFLOW_NS 1000000000ll
#define STRAY_SIGNATURE_LEN 18 /* no shorter options can be one, see options.h */

enum stray_verdict {
	STRAY_ANSWER,
	STRAY_IGNORE,
	STRAY_HOLD,
};

/* There may be a flow by now, or one that has no entry. */
static __always_inline bool may_have_flow(const struct facts *facts, __u64 now_ns)
{
	__s64 age_ns = now_ns - *(volatile __u64 *)&nol_overflow_ns;

	return age_ns < STRAY_OVERFLOW_NS || flow_find(&facts->key);
}

/* As user/engine/engine.c's; what loopback may, and what is_odd() has seen, aside. */
static __always_inline bool has_valid_ends(const struct facts *facts)
{
	const __u8 remote = facts->key.remote_addr[12], local = facts->key.local_addr[12];
	const __be32 *words = words_of(facts->key.local_addr);

	if (facts->is_ipv4)
		return remote < 240 && local && local != 127 && local < 224;
	return words[0] || words[1] || words[2];
}

/* words: of the IP header. */
static __always_inline bool has_bad_ip_sum(const struct facts *facts, const __be32 *words)
{
	return facts->is_ipv4 && fold_sum(sum_five(words)) != 0xffff;
}

static __always_inline enum stray_verdict judge_sums(struct xdp_md *ctx, const struct facts *facts)
{
	struct cursor cursor = cursor_at(ctx->data, ctx->data_end);
	const __be32 *ip = cursor.data + link_header_len();
	const __be32 *words = (void *)ip + ip_header_len(facts->is_ipv4);
	struct options_walk walk = {};
	const __be32 *options = (const __be32 *)walk.bytes;
	__be32 check_word;
	__u64 sum;

	if ((void *)(words + 5) > cursor.end)
		return STRAY_HOLD;
	if (has_bad_ip_sum(facts, ip))
		return STRAY_IGNORE;
	sum = sum_five(words);
	check_word = words[ANSWER_CHECK_WORD];
	if (!options_read(ctx, facts, &walk) || walk.is_signed)
		return STRAY_HOLD;
	sum += sum_five(options) + sum_five(options + 5);
	return is_checksum_good(facts, sum, check_word) ? STRAY_ANSWER : STRAY_IGNORE;
}

/* Of a segment with an ACK and no RST. */
static __always_inline enum stray_verdict judge_stray(struct xdp_md *ctx, const struct facts *facts)
{
	if (!facts->key.remote_port)
		return STRAY_IGNORE;
	if (nol_is_loopback || !has_plain_headers(facts) || !has_valid_ends(facts))
		return STRAY_HOLD;
	return judge_sums(ctx, facts);
}

/* A segment without options, data or a window: byte for byte what segment_build() makes of it. *out has to be zero. */
static __always_inline void build_bare(struct answer *out, const struct facts *facts, __u32 seq,
				       __u32 ack, __u8 flags)
{
	__u16 check;

	out->count = ANSWER_MIN_WORDS;
	out->words[0] = bpf_htonl((__u32)facts->key.local_port << 16 | facts->key.remote_port);
	out->words[1] = bpf_htonl(seq);
	out->words[2] = bpf_htonl(ack);
	out->words[3] = bpf_htonl((__u32)ANSWER_MIN_WORDS << 28 | (__u32)flags << 16);
	check = ~fold_sum(sum_five(out->words) + sum_pseudo(facts, TCP_MIN_HEADER));
	out->words[ANSWER_CHECK_WORD] = join_halves(check, 0);
}

static __always_inline int drop_ignored(struct xdp_md *ctx)
{
	count(stray_ignored);
	capture(ctx, DROPPED, stray_ignored);
	return XDP_DROP;
}

/* Once it is cut, there is no way back to holding it. */
static __always_inline int answer_stray(struct xdp_md *ctx, const struct facts *facts)
{
	struct capture_before ack = {};
	struct answer reset = {};

	build_bare(&reset, facts, facts->ack, 0, TCP_FLAG_RST); /* <SEQ=SEG.ACK><CTL=RST> */
	capture_begin(ctx, &ack);
	if (!fit_frame(ctx, facts, &reset) || !write_frame(ctx, facts, &reset)) {
		capture_forget(&ack);
		return drop_ignored(ctx);
	}
	count(stray_answered);
	capture_answered(&ack, capture_word(ANSWERED, stray_answered));
	capture_reply(ctx, stray_answered);
	return XDP_TX;
}

static __always_inline int hold_stray(struct xdp_md *ctx, const struct facts *facts,
				      const struct nol_config *config, __u64 now_ns)
{
	struct hold hold = {.reason = NOL_HOLD_STRAY};

	if (nol_limit_take(&nol_strays, now_ns))
		return hold_packet(ctx, facts, &hold, config);
	count(lost_stray);
	capture(ctx, DROPPED, lost_stray);
	return XDP_DROP;
}

static __always_inline int drop_limited(struct xdp_md *ctx)
{
	count(stray_limited);
	capture(ctx, DROPPED, stray_limited);
	return XDP_DROP;
}

/* It has an ACK and no RST. What there is no token for is dropped before anything is looked at that costs time. */
static __always_inline int end_ack(struct xdp_md *ctx, const struct facts *facts,
				   const struct nol_config *config, __u64 now_ns)
{
	enum stray_verdict verdict;

	if (!nol_limit_has(&nol_resets, now_ns))
		return drop_limited(ctx);
	verdict = judge_stray(ctx, facts);
	if (verdict == STRAY_HOLD || (verdict == STRAY_ANSWER && !config->can_transmit))
		return hold_stray(ctx, facts, config, now_ns);
	if (verdict == STRAY_ANSWER)
		return nol_limit_take(&nol_resets, now_ns) ? answer_stray(ctx, facts)
							   : drop_limited(ctx);
	return drop_ignored(ctx);
}

static __always_inline int end_stray(struct xdp_md *ctx, const struct facts *facts,
				     const struct nol_config *config)
{
	const __u64 now_ns = clock_coarse_ns();

	if (presence_of(config, now_ns) != NOL_PRESENT)
		return drop_away(ctx);
	if (may_have_flow(facts, now_ns))
		return hold_stray(ctx, facts, config, now_ns);
	if (facts->flags & TCP_FLAG_RST) {
		count(stray_reset);
		capture(ctx, DROPPED, stray_reset);
		return XDP_DROP;
	}
	if (facts->flags & TCP_FLAG_ACK)
		return end_ack(ctx, facts, config, now_ns);
	return drop_ignored(ctx);
}

#endif
