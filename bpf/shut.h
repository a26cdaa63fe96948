/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Connections of a tarpit: established, with a window of 0, by the rules of user/engine/shut.c. All that is known of one is its entry: both
 * sequence numbers, which never change, when it was answered last, and whether the remote has ended. So what comes is answered from
 * that, in place of it. User space gets the RST that ends it, and what has no place for an answer, or more than a probe has: it knows the
 * entry as well.
 */
#ifndef NOLISTEN_BPF_SHUT_H
#define NOLISTEN_BPF_SHUT_H

#include "stray.h"
#include "used.h"

#define SHUT_PROBE_MAX 1 /* bytes of data; 4.2BSD's probe has one */

static __always_inline bool flow_is_shut(const struct nol_flow *flow)
{
	return nol_is_shut(flow_state(flow));
}

/* By user space, whatever was held. A cookie is good for one connection, whatever becomes of it. */
static __always_inline void flow_shut(const struct nol_flow_key *key, struct nol_flow *flow,
				      const struct nol_flow_change *change)
{
	if (!flow_is_shut(flow))
		use_cookie(key, flow->cookie);
	flow->shut = change->shut;
	__sync_lock_test_and_set((__u64 *)flow, flow_word(change->to, change->held));
}

static __always_inline __u32 shut_data_len(const struct facts *facts)
{
	return facts->ip_len - (facts->l4_offset - facts->l3_offset) - facts->header_len;
}

/* RFC 9293, 3.10.7.4: there is one number in a window of 0. */
static __always_inline bool is_at_rcv_nxt(const struct facts *facts, const struct nol_flow *flow)
{
	return facts->seq == flow->shut.irs + 1;
}

static __always_inline bool needs_no_answer(const struct facts *facts, const struct nol_flow *flow)
{
	const __u8 mask = TCP_FLAG_ACK | TCP_FLAG_SYN | TCP_FLAG_FIN;

	return (facts->flags & mask) == TCP_FLAG_ACK && is_at_rcv_nxt(facts, flow) &&
	       facts->ack == flow->shut.iss + 1 && !shut_data_len(facts);
}

/*
 * Into an answer of the same size or less. Data has to be that of a probe: what is longer may be a GSO packet, see stray.h. Its checksum is not
 * looked at: whatever the byte is, the answer is what the remote knows. What ends something goes to user space then.
 */
static __always_inline enum stray_verdict judge_shut(struct xdp_md *ctx, const struct facts *facts,
						     const struct nol_config *config)
{
	if (nol_is_loopback || !config->can_transmit || facts->l3_offset != link_header_len() ||
	    facts->l4_offset - facts->l3_offset != ip_header_len(facts->is_ipv4) ||
	    shut_data_len(facts) > SHUT_PROBE_MAX)
		return STRAY_HOLD;
	if (!shut_data_len(facts))
		return judge_sums(ctx, facts);
	return facts->flags & (TCP_FLAG_RST | TCP_FLAG_FIN) ? STRAY_HOLD : STRAY_ANSWER;
}

static __always_inline int ignore_shut(struct xdp_md *ctx)
{
	count(shut_ignored);
	capture(ctx, DROPPED, shut_ignored);
	return XDP_DROP;
}

/* False: another CPU has just done so. */
static __always_inline bool note_shut(struct nol_flow *flow, __u64 word, bool has_fin,
				      __u32 answered_ms)
{
	const enum nol_flow_state state =
		has_fin ? NOL_FLOW_SHUT_FIN : (__u32)(word >> FLOW_STATE_SHIFT);

	return __sync_val_compare_and_swap((__u64 *)flow, word, flow_word(state, answered_ms)) ==
	       word;
}

static __always_inline int answer_shut(struct xdp_md *ctx, const struct facts *facts,
				       const struct nol_flow *flow)
{
	struct capture_before probe = {};
	struct answer ack = {};

	build_bare(&ack, facts, flow->shut.iss + 1, flow->shut.irs + 1, TCP_FLAG_ACK);
	capture_begin(ctx, &probe);
	if (!fit_frame(ctx, facts, &ack) || !write_frame(ctx, facts, &ack)) {
		capture_forget(&probe);
		return ignore_shut(ctx);
	}
	count(shut_answered);
	capture_answered(&probe, capture_word(ANSWERED, shut_answered));
	capture_reply(ctx, shut_answered);
	return XDP_TX;
}

static __always_inline int hold_shut(struct xdp_md *ctx, const struct facts *facts,
				     struct nol_flow *flow, const struct nol_config *config)
{
	struct hold hold = {.reason = NOL_HOLD_FLOW, .flow = flow};

	return hold_packet(ctx, facts, &hold, config);
}

/* Of one flow not more often than it is answered, of all not more than strays. */
static __always_inline int hold_some_shut(struct xdp_md *ctx, const struct facts *facts,
					  struct nol_flow *flow, const struct nol_config *config,
					  __u64 now_ns)
{
	if (nol_limit_take(&nol_strays, now_ns))
		return hold_shut(ctx, facts, flow, config);
	count(lost_stray);
	capture(ctx, DROPPED, lost_stray);
	return XDP_DROP;
}

/* The ring may have no room for it: then it is over when user space looks the next time. */
static __always_inline int end_shut(struct xdp_md *ctx, const struct facts *facts,
				    struct nol_flow *flow, const struct nol_config *config,
				    enum stray_verdict verdict, __u64 word, __u32 now_ms)
{
	if (verdict == STRAY_ANSWER) /* its checksum is good */
		note_shut(flow, word, true, now_ms - NOL_SHUT_ENDED_MS);
	return hold_shut(ctx, facts, flow, config);
}

static __always_inline bool is_worth_a_look(const struct facts *facts, const struct nol_flow *flow,
					    __s32 since_ms)
{
	if (facts->flags & TCP_FLAG_RST)
		return is_at_rcv_nxt(facts, flow);
	return since_ms >= NOL_SHUT_QUIET_MS && !needs_no_answer(facts, flow);
}

static __always_inline int take_shut(struct xdp_md *ctx, const struct facts *facts,
				     const struct nol_config *config)
{
	const __u64 now_ns = clock_coarse_ns();
	const __u32 now_ms = nol_clock_ms(now_ns);
	struct nol_flow *flow = flow_find(&facts->key);
	enum stray_verdict verdict;
	__u64 word;

	/* It was over just now: what comes again finds nothing. */
	if (!flow || !flow_is_shut(flow))
		return ignore_shut(ctx);
	word = *(volatile __u64 *)flow;
	if (!is_worth_a_look(facts, flow, now_ms - (__u32)(word >> FLOW_HELD_SHIFT)))
		return ignore_shut(ctx);
	verdict = has_odd_length(ctx, facts) ? STRAY_HOLD : judge_shut(ctx, facts, config);
	if (verdict == STRAY_IGNORE)
		return ignore_shut(ctx);
	if (facts->flags & TCP_FLAG_RST)
		return end_shut(ctx, facts, flow, config, verdict, word, now_ms);
	if (verdict == STRAY_HOLD)
		return hold_some_shut(ctx, facts, flow, config, now_ns);
	if (!note_shut(flow, word, facts->flags & TCP_FLAG_FIN, now_ms))
		return ignore_shut(ctx);
	return answer_shut(ctx, facts, flow);
}

#endif
