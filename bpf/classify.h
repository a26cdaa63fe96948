/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Whose is a packet to an answered port: ours to hold, or the kernel's? */
#ifndef NOLISTEN_BPF_CLASSIFY_H
#define NOLISTEN_BPF_CLASSIFY_H

#include "capture.h"
#include "flow.h"
#include "leased.h"
#include "owner.h"
#include "stats.h"

/* What is to be held, and why. */
struct hold {
	enum nol_hold_reason reason;
	struct nol_flow *flow; /* NOL_HOLD_FLOW, else NULL */
	__u32 time_wait_snd_nxt;
	bool has_entry; /* left of an earlier connection: user space replaces it */
	bool is_away; /* nobody reads the ring: it is for handshakes */
	struct nol_terms terms; /* NOL_HOLD_COOKIE */
};

static __always_inline int pass_unparsed(enum parse_result result)
{
	if (result == PARSE_FRAGMENT)
		count(ingress_fragment);
	else if (result == PARSE_NOT_TCP)
		count(ingress_not_tcp);
	else
		count(ingress_odd);
	return XDP_PASS;
}

/* Ours to look at, but what it takes is not there, which does not happen. */
static __always_inline int pass_cut_off(void)
{
	count(ingress_cut_off);
	return XDP_PASS;
}

/* The kernel drops these without a word: martian sources, broadcasts, LAND (RFC 1122, 3.2.1.3). */
static __always_inline bool has_odd_ipv4(const struct nol_flow_key *key)
{
	__u32 remote = bpf_ntohl(words_of(key->remote_addr)[3]);
	__u32 local = bpf_ntohl(words_of(key->local_addr)[3]);

	if (remote >> 28 == 0xe || remote >> 24 == 0 || remote == 0xffffffff ||
	    local >> 28 == 0xe || local == 0xffffffff)
		return true;
	return !nol_is_loopback && (remote >> 24 == 127 || remote == local);
}

static __always_inline bool is_same(const __be32 a[4], const __be32 b[4])
{
	return a[0] == b[0] && a[1] == b[1] && a[2] == b[2] && a[3] == b[3];
}

static __always_inline bool has_odd_ipv6(const struct nol_flow_key *key)
{
	const __be32 *remote = words_of(key->remote_addr), *local = words_of(key->local_addr);

	if (key->remote_addr[0] == 0xff || key->local_addr[0] == 0xff || is_mapped(remote) ||
	    is_mapped(local))
		return true;
	if (!remote[0] && !remote[1] && !remote[2] && !remote[3])
		return true;
	if (nol_is_loopback)
		return false;
	if (!remote[0] && !remote[1] && !remote[2] && remote[3] == bpf_htonl(1))
		return true;
	return is_same(remote, local);
}

/* Does the TCP header not fit into what IP says? */
static __always_inline bool has_odd_header(const struct facts *facts)
{
	__u32 l3_headers_len = facts->l4_offset - facts->l3_offset;

	return facts->header_len < TCP_MIN_HEADER ||
	       l3_headers_len + facts->header_len > facts->ip_len;
}

/* Or that not into the frame? A GSO packet beyond 64 KB says 0. Most packets need no call for their length. */
static __always_inline bool has_odd_length(struct xdp_md *ctx, const struct facts *facts)
{
	struct cursor cursor = cursor_at(ctx->data, ctx->data_end);
	__u32 end = facts->l3_offset + facts->ip_len;
	__u64 frame_len;

	if (facts->ip_len && end <= cursor.end - cursor.data)
		return has_odd_header(facts);
	frame_len = bpf_xdp_get_buff_len(ctx);
	if (frame_len > NOL_RECORD_SNAP_MAX)
		return false;
	return end > frame_len || has_odd_header(facts);
}

static __always_inline bool is_odd(struct xdp_md *ctx, const struct facts *facts)
{
	if (facts->is_group_frame)
		return true;
	if (facts->is_ipv4 ? has_odd_ipv4(&facts->key) : has_odd_ipv6(&facts->key))
		return true;
	return has_odd_length(ctx, facts);
}

/* Replayed packets come by a second time, where generic XDP sees what TC has turned round. */
static __always_inline bool is_replayed(const struct facts *facts, __u32 tag)
{
	if (!tag || facts->ttl)
		return false;
	return facts->tag == (tag & (facts->is_ipv4 ? 0xffff : IPV6_FLOW_LABEL_MASK));
}

/* A listener opens nothing for a SYN with a FIN. */
static __always_inline bool may_open(const struct facts *facts)
{
	return is_bare_syn(facts) && !(facts->flags & TCP_FLAG_FIN);
}

/* Nobody's flow: a kernel socket's, or ours. */
static __always_inline bool classify_by_owner(struct xdp_md *ctx, const struct facts *facts,
					      struct hold *hold)
{
	struct bpf_sock *sk = owner_find(ctx, facts);
	bool is_replaced;

	if (!sk && is_leased(&facts->key)) {
		count(ingress_leased);
		capture(ctx, PASSED, ingress_leased);
		return false;
	}
	if (!sk) {
		hold->reason = may_open(facts) ? NOL_HOLD_SYN : NOL_HOLD_STRAY;
		return true;
	}
	is_replaced = sk->state == BPF_TCP_TIME_WAIT && is_bare_syn(facts) &&
		      is_time_wait_replaced(ctx, facts, sk, &hold->time_wait_snd_nxt);
	bpf_sk_release(sk);
	/* A listener that came after the connection takes its successor. */
	if (is_replaced && has_listener(ctx, facts))
		is_replaced = false;
	hold->reason = NOL_HOLD_TIME_WAIT;
	if (is_replaced)
		return true;
	count(ingress_owned);
	capture(ctx, PASSED, ingress_owned);
	return false;
}

/* Of a known flow; *is_held if the flow decides. A new SYN may follow a flow that the kernel has had. */
static __always_inline bool classify_by_flow(struct xdp_md *ctx, const struct facts *facts,
					     const struct nol_config *config, struct nol_flow *flow,
					     struct hold *hold, bool *is_held)
{
	*is_held = false;
	if (is_replayed(facts, config->replay_tag)) {
		count(ingress_replayed);
		return true;
	}
	if (!is_state_of_kernel(flow->state)) {
		hold->reason = NOL_HOLD_FLOW;
		hold->flow = flow;
		*is_held = true;
		return true;
	}
	if (is_bare_syn(facts))
		return false;
	count(ingress_handed_off);
	capture(ctx, PASSED, ingress_handed_off);
	return true;
}

/* True: hold it. False: passed and counted. */
static __always_inline bool classify(struct xdp_md *ctx, const struct facts *facts,
				     const struct nol_config *config, __u64 now_ns,
				     struct hold *hold)
{
	struct nol_flow *flow;
	bool is_held;

	if (!is_owner_alive(config, now_ns)) {
		count(ingress_stale);
		return false;
	}
	flow = flow_find(&facts->key);
	if (flow && classify_by_flow(ctx, facts, config, flow, hold, &is_held))
		return is_held;
	if (!flow && !is_local_answered(&facts->key)) {
		count(ingress_not_answered);
		capture(ctx, PASSED, ingress_not_answered);
		return false;
	}
	if (is_odd(ctx, facts)) {
		count(ingress_odd);
		capture(ctx, PASSED, ingress_odd);
		return false;
	}
	hold->has_entry = flow;
	return classify_by_owner(ctx, facts, hold);
}

#endif
