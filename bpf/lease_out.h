/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Egress of the lease guard: what raw and packet sockets send leases, and the kernel's RSTs of what is guarded are
 * stopped. The kernel's RSTs leave from no socket, or (IPv4, before Linux 6.13) from a raw one of its own.
 */
#ifndef NOLISTEN_BPF_LEASE_OUT_H
#define NOLISTEN_BPF_LEASE_OUT_H

#include "lease.h"
#include "lease_packet.h"
#include "nat.h"
#include "origin.h"
#include "owner.h"

#define PROTOCOLS 512 /* and more: IPPROTO_MAX is 263 since there is MPTCP */

/* It costs no call to know of most sockets that they are not raw: those have their protocol, never 0, where others have their port. */
static __always_inline bool may_be_raw(const struct bpf_sock *sk)
{
	if (sk->family != AF_INET && sk->family != AF_INET6)
		return true;
	return (sk->src_port && sk->src_port < PROTOCOLS) ||
	       (nol_guards_nat && sk->state == BPF_TCP_LISTEN);
}

/* All that most packets pay for. */
static __always_inline enum nol_guard_sender find_sender(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;

	if (!sk) /* without a socket: forwarded, or an answer of the kernel */
		return skb->ingress_ifindex ? NOL_SENDER_KERNEL : NOL_SENDER_NOBODY;
	if (!may_be_raw(sk))
		return NOL_SENDER_KERNEL;
	sk = bpf_sk_fullsock(sk);
	/* Since Linux 6.13 a RST belongs to the listener that a segment has reached: it may be somebody else's connection. */
	if (sk && nol_guards_nat && sk->type == SOCK_STREAM && sk->state == BPF_TCP_LISTEN)
		return NOL_SENDER_NOBODY;
	if (!sk || sk->type == SOCK_STREAM)
		return NOL_SENDER_KERNEL;
	if (sk->family == AF_PACKET)
		return NOL_SENDER_PACKET;
	if (sk->type != SOCK_RAW)
		return NOL_SENDER_KERNEL;
	return sk->protocol == IPPROTO_TCP ? NOL_SENDER_RAW_TCP : NOL_SENDER_RAW;
}

static __always_inline bool is_owned(struct __sk_buff *skb, const struct facts *facts)
{
	struct bpf_sock *sk = owner_find(skb, facts);

	if (!sk)
		return false;
	bpf_sk_release(sk);
	return true;
}

static __always_inline bool is_of_program(struct __sk_buff *skb, enum nol_guard_sender sender)
{
	if (sender != NOL_SENDER_RAW_TCP)
		return sender != NOL_SENDER_NOBODY;
	return origin_is_process(skb);
}

static __always_inline int stop_guarded_rst(const struct nol_guard *guard, struct nol_lease *lease)
{
	if (guard->rst_action == NOL_RST_PASS) {
		count(rst_passed);
		return TC_ACT_UNSPEC;
	}
	if (lease)
		__sync_fetch_and_add(&lease->rst_stopped, 1);
	if (guard->rst_action == NOL_RST_REDIRECT && guard->redirect_ifindex) {
		count(rst_redirected);
		return bpf_redirect(guard->redirect_ifindex, 0);
	}
	count(rst_dropped);
	return TC_ACT_SHOT;
}

/* A listener on a published port, as of a container's proxy, has no part in the connections that are translated. */
static __always_inline bool is_connected(struct __sk_buff *skb, const struct facts *facts)
{
	struct bpf_sock *sk = owner_find(skb, facts);
	bool is_connection;

	if (!sk)
		return false;
	is_connection = sk->state != BPF_TCP_LISTEN;
	bpf_sk_release(sk);
	return is_connection;
}

static __always_inline int judge_unguarded_rst(struct __sk_buff *skb, const struct nol_guard *guard,
					       const struct facts *facts)
{
	if (!nol_guards_nat || !is_remote_guarded(&facts->key) || is_connected(skb, facts) ||
	    nat_is_tracked(skb) || !nat_has_other_owner(skb, facts)) {
		count(rst_not_ours);
		return TC_ACT_UNSPEC;
	}
	count(rst_nat);
	return stop_guarded_rst(guard, NULL);
}

static __always_inline int judge_rst(struct __sk_buff *skb, const struct nol_guard *guard,
				     const struct facts *facts, enum nol_guard_sender sender,
				     __u64 now_ns)
{
	struct nol_lease *lease;

	if (is_of_program(skb, sender)) {
		count(rst_sent);
		return TC_ACT_UNSPEC;
	}
	if (!is_guarded(guard, facts, now_ns, &lease))
		return judge_unguarded_rst(skb, guard, facts);
	if (is_owned(skb, facts)) {
		count(rst_owned);
		return TC_ACT_UNSPEC;
	}
	/* A port of the list is no address: a container's on the same device has the number as well. */
	if (nol_has_list && !origin_is_here(skb)) {
		count(rst_not_ours);
		return TC_ACT_UNSPEC;
	}
	return stop_guarded_rst(guard, lease);
}

/* A TIME-WAIT socket answers through the kernel's own raw socket. */
static __always_inline int take_lease(struct __sk_buff *skb, const struct nol_guard *guard,
				      const struct facts *facts, enum nol_guard_sender sender,
				      __u64 now_ns)
{
	if (!is_of_program(skb, sender) || !is_remote_guarded(&facts->key))
		return TC_ACT_UNSPEC;
	lease_take(guard, facts, sender, now_ns);
	return TC_ACT_UNSPEC;
}

static __always_inline int guard_segment_out(struct __sk_buff *skb, const struct facts *facts,
					     enum nol_guard_sender sender)
{
	const __u64 now_ns = bpf_ktime_get_coarse_ns();
	const struct nol_guard *guard = find_guard();

	if (!guard || !is_guard_alive(guard, now_ns)) {
		if (facts->flags & TCP_FLAG_RST)
			count(rst_stale);
		return TC_ACT_UNSPEC;
	}
	if (facts->flags & TCP_FLAG_RST)
		return judge_rst(skb, guard, facts, sender, now_ns);
	return take_lease(skb, guard, facts, sender, now_ns);
}

/* A function of its own, so that what a connection sends pays for none of it. */
static __noinline int guard_out(struct __sk_buff *skb, __u32 sender)
{
	struct packet packet;
	struct facts facts;
	enum parse_result result;

	if (skb->mark == NOL_MARK || skb->mark == NOL_MARK_REPLAY || is_of_other_vlan(skb))
		return TC_ACT_UNSPEC;
	result = read_egress(skb, &packet);
	if (result == PARSE_CUT)
		count(out_unread);
	if (result != PARSE_TCP)
		return TC_ACT_UNSPEC;
	facts_read(&packet, &facts);
	segment_turn(&facts);
	return guard_segment_out(skb, &facts, sender);
}

#endif
