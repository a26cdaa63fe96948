/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The programs: ingress holds, egress guards, nol_flow_set and nol_xdp_send are user space's. */
#include "vmlinux.h"

#include "answer_fast.h"
#include "back_answer.h"
#include "classify.h"
#include "guard.h"
#include "hold.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

static __always_inline int take_segment(struct xdp_md *ctx, const struct facts *facts)
{
	const struct nol_config *config = find_config();
	const __u64 now_ns = bpf_ktime_get_coarse_ns();
	struct hold hold = {};

	if (!config)
		return pass_cut_off();
	if (!classify(ctx, facts, config, now_ns, &hold))
		return XDP_PASS;
	if (nol_connects_back) /* a socket answers; there is no stack for both either */
		return hold_packet(ctx, facts, &hold, config);
	if (hold.reason == NOL_HOLD_SYN && !hold.has_entry && answer_syn(ctx, facts, now_ns))
		return XDP_TX;
	if (hold.reason == NOL_HOLD_STRAY && !hold.has_entry &&
	    cookie_accept(ctx, facts, &hold.terms))
		hold.reason = NOL_HOLD_COOKIE;
	return hold_packet(ctx, facts, &hold, config);
}

/* The general way, reached by a tail call: it needs a stack of its own, and parses again. */
SEC("xdp.frags")
int nol_xdp_general(struct xdp_md *ctx)
{
	struct packet packet = {};
	struct cursor cursor = cursor_at(ctx->data, ctx->data_end);
	enum parse_result result = parse_tcp(&cursor, &packet);
	struct facts facts;

	if (result != PARSE_TCP)
		return pass_unparsed(result);
	facts_read(&packet, &facts);
	return take_segment(ctx, &facts);
}

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} nol_general SEC(".maps");

SEC("xdp.frags")
int nol_xdp_ingress(struct xdp_md *ctx)
{
	struct packet packet = {};
	struct cursor cursor = cursor_at(ctx->data, ctx->data_end);
	enum parse_result result = parse_tcp(&cursor, &packet);

	if (result != PARSE_TCP)
		return pass_unparsed(result);
	if (!is_port_answered(bpf_ntohs(packet.tcp->dest)))
		return XDP_PASS;
	if (answer_fast(ctx, &packet))
		return XDP_TX;
	bpf_tail_call(ctx, &nol_general, 0);
	return pass_cut_off();
}

/* Run by BPF_PROG_RUN with live frames: see kern_transmit(). */
SEC("xdp")
int nol_xdp_send(struct xdp_md *ctx)
{
	return XDP_TX;
}

SEC("tc")
int nol_tc_egress(struct __sk_buff *skb)
{
	if (skb->mark == NOL_MARK_REPLAY)
		return turn_round(skb);
	if (nol_connects_back && back_may_answer(skb))
		return back_answer(skb);
	return may_be_rst(skb) ? guard_rst(skb) : GUARD_LET_GO;
}

/* Run by BPF_PROG_RUN: see struct nol_flow_change. */
SEC("syscall")
int nol_flow_set(struct nol_flow_change *change)
{
	struct nol_flow_key key = change->key;
	__u32 held = change->held;
	struct nol_flow *flow = flow_find(&key);

	change->result = flow ? flow_change(flow, change->to, &held) : -ENOENT;
	change->held = held;
	return 0;
}
