/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The egress guard: what becomes of a RST on its way out. A RST is stopped only if it belongs to a flow of
 * ours that the kernel does not have, or comes from an answered port that no kernel socket has. A flow that was handed
 * off is the kernel's, but the SYN of the remote's next connection is not: it may have been passed to a socket
 * that another CPU was just closing, and the remote must send it again, not hear that nobody is there.
 */
#ifndef NOLISTEN_BPF_GUARD_H
#define NOLISTEN_BPF_GUARD_H

#include "capture.h"
#include "clock.h"
#include "flow.h"
#include "leased.h"
#include "owner.h"
#include "stats.h"

#define GUARD_MAX_HEADERS 256

/* Let go, and let other programs and filters on the device have their say. */
#define GUARD_LET_GO TC_ACT_UNSPEC

/*
 * A held packet on its way back into the stack; its mark must not spread to what answers it. The loopback
 * turns packets by itself, and lets those from local addresses in only with the route that they left by:
 * redirected they would be martians.
 */
static __always_inline int turn_round(struct __sk_buff *skb)
{
	count(replay_turned);
	skb->mark = 0;
	if (nol_is_loopback)
		return GUARD_LET_GO;
	return bpf_redirect(skb->ifindex, BPF_F_INGRESS);
}

static __always_inline enum parse_result parse_skb(struct __sk_buff *skb, struct packet *packet)
{
	struct cursor cursor = cursor_at(skb->data, skb->data_end);

	__builtin_memset(packet, 0, sizeof(*packet));
	return parse_tcp(&cursor, packet);
}

static __always_inline bool is_linear_short(const struct __sk_buff *skb)
{
	__u32 linear = skb->data_end - skb->data;

	return linear < skb->len && linear < GUARD_MAX_HEADERS;
}

/* All that most packets pay for: false if it is no RST for certain. */
static __always_inline bool may_be_rst(struct __sk_buff *skb)
{
	struct packet packet;
	enum parse_result result = parse_skb(skb, &packet);

	return result == PARSE_TCP ? is_rst(&packet) : result == PARSE_CUT && is_linear_short(skb);
}

static __always_inline bool find_rst(struct __sk_buff *skb, struct packet *packet)
{
	enum parse_result result = parse_skb(skb, packet);
	__u32 len = skb->len < GUARD_MAX_HEADERS ? skb->len : GUARD_MAX_HEADERS;

	if (result == PARSE_CUT && is_linear_short(skb)) {
		if (bpf_skb_pull_data(skb, len)) {
			count(rst_unread);
			return false;
		}
		result = parse_skb(skb, packet);
	}
	return result == PARSE_TCP && is_rst(packet);
}

/* A tag that the device is to insert: another VLAN's packets are not ours. */
static __always_inline bool is_of_other_vlan(struct __sk_buff *skb)
{
	return skb->vlan_present && skb->vlan_tci & VLAN_ID_MASK;
}

/*
 * Sent by a connection or a listener? The kernel's RSTs without a socket go out through control sockets,
 * which are raw; a socket that was just closed has no port any more, so the type has to do.
 */
static __always_inline struct bpf_sock *find_sender(struct __sk_buff *skb,
						    const struct facts *facts)
{
	struct bpf_sock *sk = skb->sk;

	if (sk)
		sk = bpf_sk_fullsock(sk);
	if (sk && sk->type == SOCK_STREAM && sk->protocol == IPPROTO_TCP &&
	    (sk->src_port == facts->key.local_port || !sk->src_port))
		return sk;
	return NULL;
}

/* The socket that is being handed over has a connection to end, if its process is killed in that moment. */
static __always_inline bool is_of_connection(struct __sk_buff *skb, const struct facts *facts)
{
	const struct bpf_sock *sk = find_sender(skb, facts);

	return sk && sk->state != BPF_TCP_SYN_SENT;
}

static __always_inline bool is_of_kernel_socket(struct __sk_buff *skb, const struct facts *facts)
{
	struct bpf_sock *sk;

	if (find_sender(skb, facts))
		return true;
	sk = owner_find(skb, facts);
	if (!sk)
		return false;
	bpf_sk_release(sk);
	return true;
}

static __always_inline int stop_rst(struct __sk_buff *skb, const struct nol_config *config,
				    struct nol_flow *flow)
{
	if (config->rst_action == NOL_RST_PASS) {
		count(rst_passed);
		return GUARD_LET_GO;
	}
	if (flow)
		__sync_fetch_and_add(&flow->rst_dropped, 1);
	if (config->rst_action == NOL_RST_REDIRECT && config->redirect_ifindex) {
		count(rst_redirected);
		capture_egress(skb, DROPPED, rst_redirected);
		return bpf_redirect(config->redirect_ifindex, 0);
	}
	count(rst_dropped);
	capture_egress(skb, DROPPED, rst_dropped);
	return TC_ACT_SHOT;
}

/* The kernel's answer to a SYN that found nobody (RFC 9293, 3.10.7.1). What a socket sends has its sequence number. */
static __always_inline bool refuses_syn(const struct facts *facts)
{
	return facts->flags & TCP_FLAG_ACK && !facts->seq;
}

static __always_inline int guard_flowless(struct __sk_buff *skb, const struct nol_config *config,
					  const struct facts *facts)
{
	const struct nol_flow_key *key = &facts->key;

	if (!is_port_answered(key->local_port) || !is_local_answered(key)) {
		count(rst_not_ours);
		return GUARD_LET_GO;
	}
	if (is_leased(key)) {
		count(rst_leased);
		return GUARD_LET_GO;
	}
	if (is_of_kernel_socket(skb, facts)) {
		count(rst_owned);
		return GUARD_LET_GO;
	}
	/* Of method accept the kernel knows no half-open flow: what is no cookie it answers as a listener would. */
	if (nol_accepts && !refuses_syn(facts)) {
		count(rst_stray);
		return GUARD_LET_GO;
	}
	return stop_rst(skb, config, NULL);
}

static __always_inline int guard_segment(struct __sk_buff *skb, const struct facts *facts)
{
	const struct nol_config *config = find_config();
	struct nol_flow *flow;

	if (!config || !is_owner_alive(config, clock_coarse_ns())) {
		count(rst_stale);
		return GUARD_LET_GO;
	}
	flow = flow_find(&facts->key);
	if (!flow || (is_state_of_kernel(flow->state) && refuses_syn(facts)))
		return guard_flowless(skb, config, facts);
	if (is_state_of_kernel(flow->state)) {
		count(rst_handed_off);
		return GUARD_LET_GO;
	}
	if (is_of_connection(skb, facts)) {
		count(rst_owned);
		return GUARD_LET_GO;
	}
	return stop_rst(skb, config, flow);
}

/* A function of its own, which parses again, so that what is no RST pays for no register and no stack of it. */
static __noinline int guard_rst(struct __sk_buff *skb)
{
	struct facts facts;
	struct packet packet;

	if (!find_rst(skb, &packet))
		return GUARD_LET_GO;
	if (is_of_other_vlan(skb)) {
		count(rst_not_ours);
		return GUARD_LET_GO;
	}
	if (skb->mark == NOL_MARK) {
		count(rst_own);
		return GUARD_LET_GO;
	}
	facts_read(&packet, &facts);
	segment_turn(&facts);
	return guard_segment(skb, &facts);
}

#endif
