/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The programs: ingress holds, egress guards, nol_flow_set, nol_flow_forget and nol_xdp_send are user space's. */
#include "vmlinux.h"

#include "accept.h"
#include "answer_fast.h"
#include "back_ack.h"
#include "back_answer.h"
#include "classify.h"
#include "clock.h"
#include "closed.h"
#include "guard.h"
#include "hold.h"
#include "shut.h"
#include "stray.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, NOL_ENDS);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} nol_ends SEC(".maps");

/* A stray ends in nol_xdp_stray, what is of a tarpit's connection in nol_xdp_shut; should that be missing, it is held. */
static __always_inline int hold_or_end(struct xdp_md *ctx, const struct facts *facts,
				       struct hold *hold, const struct nol_config *config)
{
	if (hold->reason == NOL_HOLD_STRAY)
		bpf_tail_call(ctx, &nol_ends, NOL_END_STRAY);
	if (nol_keeps_shut && hold->flow && flow_is_shut(hold->flow))
		bpf_tail_call(ctx, &nol_ends, NOL_END_SHUT);
	return hold_packet(ctx, facts, hold, config);
}

static __always_inline int take_segment(struct xdp_md *ctx, const struct facts *facts)
{
	const struct nol_config *config = find_config();
	const __u64 now_ns = clock_coarse_ns();
	struct hold hold = {};

	if (!config)
		return pass_cut_off();
	if (nol_accepts)
		return answer_or_pass(ctx, facts, config, now_ns);
	if (!classify(ctx, facts, config, now_ns, &hold))
		return XDP_PASS;
	if (nol_connects_back) /* a socket answers SYNs; there is no stack for both either */
		return hold_or_end(ctx, facts, &hold, config);
	if (hold.reason == NOL_HOLD_SYN && !hold.has_entry && answer_syn(ctx, facts))
		return XDP_TX;
	if (hold.reason == NOL_HOLD_STRAY && !hold.has_entry &&
	    cookie_accept(ctx, facts, &hold.terms) &&
	    !was_used(facts, used_mark_by(facts, &hold.terms)))
		hold.reason = NOL_HOLD_COOKIE;
	return hold_or_end(ctx, facts, &hold, config);
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

/* Behind a tail call nothing is known of the packet. */
static __always_inline bool read_again(struct xdp_md *ctx, struct facts *facts)
{
	struct packet packet = {};
	struct cursor cursor = cursor_at(ctx->data, ctx->data_end);

	if (parse_tcp(&cursor, &packet) != PARSE_TCP)
		return false;
	facts_read(&packet, facts);
	return true;
}

/* What belongs to nothing; its answer needs a stack of its own, too. */
SEC("xdp.frags")
int nol_xdp_stray(struct xdp_md *ctx)
{
	const struct nol_config *config = find_config();
	struct facts facts;

	return config && read_again(ctx, &facts) ? end_stray(ctx, &facts, config) : pass_cut_off();
}

/* What is of a tarpit's connection. */
SEC("xdp.frags")
int nol_xdp_shut(struct xdp_md *ctx)
{
	const struct nol_config *config = find_config();
	struct facts facts;

	return config && read_again(ctx, &facts) ? take_shut(ctx, &facts, config) : pass_cut_off();
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
		return nol_accepts ? XDP_PASS : pass_unparsed(result);
	if (!is_port_answered(bpf_ntohs(packet.tcp->dest)))
		return XDP_PASS;
	if (!has_captured_answers() && !is_port_narrowed(bpf_ntohs(packet.tcp->dest)) &&
	    answer_fast(ctx, &packet))
		return XDP_TX;
	bpf_tail_call(ctx, &nol_general, 0);
	return pass_cut_off();
}

/* Method accept, the way of a SYN that XDP has not answered: it needs a stack of its own, and parses again. */
SEC("tc")
int nol_tc_syn(struct __sk_buff *skb)
{
	struct packet packet;
	struct facts facts;

	if (lacks_link_header(skb) && !restore_link_header(skb))
		return TC_ACT_UNSPEC;
	if (!find_tcp(skb, &packet))
		return TC_ACT_UNSPEC;
	facts_read(&packet, &facts);
	if (!may_accept(skb, &facts, clock_coarse_ns()))
		return TC_ACT_UNSPEC;
	return accept_syn(skb, &facts);
}

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} nol_syns SEC(".maps");

SEC("tc")
int nol_tc_ingress(struct __sk_buff *skb)
{
	struct packet packet;
	struct facts facts;

	if (!find_tcp(skb, &packet) || !is_port_answered(bpf_ntohs(packet.tcp->dest)))
		return TC_ACT_UNSPEC;
	facts_read(&packet, &facts);
	if (!is_bare_syn(&facts))
		return take_segment_of_others(skb, &facts);
	bpf_tail_call(skb, &nol_syns, 0);
	count(ingress_cut_off);
	return TC_ACT_UNSPEC;
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
	if (nol_connects_back && back_may_keep_ack(skb))
		return back_keep_ack(skb);
	return may_be_rst(skb) ? guard_rst(skb) : GUARD_LET_GO;
}

/* Not there where the kernel lacks the tracepoint, as the next one. Arguments: socket, old state, new state. */
SEC("tp_btf/inet_sock_set_state")
int nol_tp_state(__u64 *ctx)
{
	const struct sock___closed *sk = (const struct sock___closed *)ctx[0];

	if (is_end(ctx[1], ctx[2])) {
		end_flow_of(sk);
		end_mark(sk);
	}
	return 0;
}

/* Behind the first one: what that was not run for. */
SEC("tp_btf/inet_sock_set_state")
int nol_tp_missed(__u64 *ctx)
{
	const struct sock___closed *sk = (const struct sock___closed *)ctx[0];

	if (is_end(ctx[1], ctx[2]) && !end_take_mark(sk))
		end_flow_of(sk);
	return 0;
}

/* Run by BPF_PROG_RUN: see struct nol_flow_change. */
SEC("syscall")
int nol_flow_set(struct nol_flow_change *change)
{
	struct nol_flow_key key = change->key;
	__u32 held = change->held;
	struct nol_flow *flow = flow_find(&key);

	if (flow && nol_is_shut(change->to)) {
		flow_shut(&key, flow, change);
		change->result = 0;
		return 0;
	}
	change->result = flow ? change_flow(&key, flow, change->to, &held) : -ENOENT;
	change->held = held;
	return 0;
}

/* Run by BPF_PROG_RUN: see struct nol_flow_forget. The argument is read at constant offsets, which is all that is allowed. */
SEC("syscall")
int nol_flow_forget(struct nol_flow_forget *forget)
{
	const struct nol_flow *flow;
	struct nol_flow_key key;

#pragma unroll
	for (__u32 i = 0; i < NOL_FORGET_MAX; i++) {
		if (i >= forget->count)
			break;
		key = forget->keys[i];
		flow = flow_find(&key);
		if (flow && flow_state(flow) == NOL_FLOW_CLOSED)
			flow_remove(&key);
	}
	return 0;
}
