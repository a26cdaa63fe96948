/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The end of handed-off flows. The kernel's tracepoint is met where a socket loses its ports; sock_diag would tell of each by a
 * work queue and a message of its own, which costs more than a tenth of what a whole connection does.
 *
 * The kernel leaves a program at a tracepoint out where it is running already: an interrupt comes while it looks at one
 * socket, and the soft interrupt behind that ends a dozen others, none of which it is told of. So there are two of the same kind, one
 * behind the other. Whichever is interrupted, the other one is run for what ends meanwhile.
 *
 * The tracepoint itself is silent at times: on 6.18, in a virtual machine of two busy processors, nothing was told of what one of them
 * did for some hundred microseconds, neither to these nor to perf, and nothing counts it. What ended then is found by session/closing.c.
 */
#ifndef NOLISTEN_BPF_CLOSED_H
#define NOLISTEN_BPF_CLOSED_H

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>

#include "flow.h"
#include "ring.h"
#include "used.h"

#define CLOSED_AF_INET 2
#define CLOSED_AF_INET6 10
#define CLOSED_ATTEMPTS 8 /* against ingress, which counts a packet as held meanwhile */

/* The fields that are used; libbpf takes what is behind the three underscores off and finds them in the kernel's BTF. */
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct ns_common___closed {
	unsigned int inum;
};

struct net___closed {
	struct ns_common___closed ns;
};

struct possible_net___closed {
	struct net___closed *net;
};

struct in6___closed {
	union {
		__be32 u6_addr32[4];
	} in6_u;
};

struct sock_common___closed {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	unsigned short skc_family;
	struct possible_net___closed skc_net;
	struct in6___closed skc_v6_daddr;
	struct in6___closed skc_v6_rcv_saddr;
};

struct sock___closed {
	struct sock_common___closed __sk_common;
	__u16 sk_protocol;
};

struct inet_sock___closed {
	__be16 inet_sport;
};

#pragma clang attribute pop

static __always_inline void read_addresses(const struct sock_common___closed *common,
					   struct nol_flow_key *key)
{
	__be32 *local = (__be32 *)key->local_addr, *remote = (__be32 *)key->remote_addr;

	if (common->skc_family == CLOSED_AF_INET) {
		local[2] = remote[2] = bpf_htonl(0xffff);
		local[3] = common->skc_rcv_saddr;
		remote[3] = common->skc_daddr;
		return;
	}
	if (!bpf_core_field_exists(common->skc_v6_daddr))
		return;
	for (int i = 0; i < 4; i++) {
		local[i] = common->skc_v6_rcv_saddr.in6_u.u6_addr32[i];
		remote[i] = common->skc_v6_daddr.in6_u.u6_addr32[i];
	}
}

/* A kernel without namespaces, or without IPv6, lacks the fields. */
static __always_inline bool is_of_our_netns(const struct sock_common___closed *common)
{
	return !bpf_core_field_exists(common->skc_net.net) ||
	       common->skc_net.net->ns.inum == nol_netns;
}

static __always_inline bool has_addresses(const struct sock_common___closed *common)
{
	return common->skc_family == CLOSED_AF_INET ||
	       (common->skc_family == CLOSED_AF_INET6 &&
		bpf_core_field_exists(common->skc_v6_daddr));
}

/* False: of another network namespace, or another protocol or family: MPTCP, SCTP and DCCP sockets have such states too. */
static __always_inline bool read_key(const struct sock___closed *sk, struct nol_flow_key *key)
{
	const struct sock_common___closed *common = &sk->__sk_common;

	if (sk->sk_protocol != IPPROTO_TCP || !has_addresses(common) || !is_of_our_netns(common))
		return false;
	read_addresses(common, key);
	/* skc_num is 0 by now, unless the socket was bound. */
	key->local_port =
		bpf_ntohs(BPF_CORE_READ((const struct inet_sock___closed *)sk, inet_sport));
	key->remote_port = bpf_ntohs(common->skc_dport);
	return true;
}

/* What becomes of a flow whose socket is gone. */
static __always_inline enum nol_flow_state state_without_socket(enum nol_flow_state state)
{
	if (state == NOL_FLOW_HANDED_OFF)
		return NOL_FLOW_CLOSED;
	return state == NOL_FLOW_CLOSED ? state : NOL_FLOW_GONE;
}

/* Whatever was held; false: user space has changed it meanwhile, or ingress too often. */
static __always_inline bool flow_end(struct nol_flow *flow, enum nol_flow_state from)
{
	__u64 word = *(volatile __u64 *)flow, old;

	for (int i = 0; i < CLOSED_ATTEMPTS; i++) {
		if ((__u32)(word >> FLOW_STATE_SHIFT) != from)
			return false;
		old = __sync_val_compare_and_swap(
			(__u64 *)flow, word,
			flow_word(state_without_socket(from), (__u32)(word >> FLOW_HELD_SHIFT)));
		if (old == word)
			return true;
		word = old;
	}
	return false;
}

/*
 * Whoever reads at every tick is woken when the ring is half full, again and again until it is read. With one worker the ring is looked at
 * by the thread that polls the other one.
 */
static __always_inline __u64 closed_flags(const struct nol_config *config)
{
	const struct ring ring = {.worker = 0, .map = &nol_closed};

	if (nol_workers == 1 && wakeup_flags(&ring, config))
		return BPF_RB_NO_WAKEUP;
	if (!*(volatile const __u8 *)&config->reads_ends)
		return 0;
	return bpf_ringbuf_query(&nol_closed, BPF_RB_AVAIL_DATA) < CLOSED_RING / 2
		       ? BPF_RB_NO_WAKEUP
		       : BPF_RB_FORCE_WAKEUP;
}

/* Without room for the word the flow stays as it is, and user space looks which sockets are there. */
static __always_inline void close_flow(const struct nol_flow_key *key, struct nol_flow *flow,
				       const struct nol_config *config)
{
	const __u64 flags = closed_flags(config);
	struct nol_closed *word;

	word = bpf_ringbuf_reserve(&nol_closed, sizeof(*word), 0);
	if (!word) {
		__sync_fetch_and_add(&nol_closed_lost, 1);
		return;
	}
	word->key = *key;
	word->method = flow->method;
	word->created_ns = flow->created_ns;
	if (flow_end(flow, NOL_FLOW_HANDED_OFF))
		bpf_ringbuf_submit(word, flags);
	else
		bpf_ringbuf_discard(word, flags);
	/* They may have stopped meanwhile: see wakeup_flags(). */
	if (flags == BPF_RB_NO_WAKEUP && !closed_flags(config))
		wake(&nol_closed);
}

/* Of a connect() that fails nobody has handed anything off. */
static __always_inline bool is_end(__u64 from, __u64 to)
{
	return (int)to == BPF_TCP_CLOSE && (int)from != BPF_TCP_SYN_SENT;
}

/* Which socket nol_tp_state has seen last on this processor, for nol_tp_missed. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} nol_ended SEC(".maps");

static __always_inline void end_mark(const struct sock___closed *sk)
{
	__u32 zero = 0;
	__u64 *last = bpf_map_lookup_elem(&nol_ended, &zero);

	if (last)
		*last = (__u64)sk;
}

/* Once: another socket may have the address later. */
static __always_inline bool end_take_mark(const struct sock___closed *sk)
{
	__u32 zero = 0;
	__u64 *last = bpf_map_lookup_elem(&nol_ended, &zero);
	const bool is_marked = last && *last == (__u64)sk;

	if (is_marked)
		*last = 0;
	return is_marked;
}

static __always_inline void end_flow_of(const struct sock___closed *sk)
{
	const struct nol_config *config = find_config();
	struct nol_flow_key key __attribute__((aligned(8))) = {};
	enum nol_flow_state state;
	struct nol_flow *flow;

	if (!config || !read_key(sk, &key) || !flow_may_exist(&key))
		return;
	flow = flow_find(&key);
	if (!flow)
		return;
	/* A RST among what is replayed comes before the hand-off, which may be under way on another CPU. */
	state = flow_state(flow);
	if (state != NOL_FLOW_HANDED_OFF && flow_end(flow, state))
		return;
	close_flow(&key, flow, config);
}

/* The same by user space: a flow that it hands off whose socket is gone is closed at once. */
static __always_inline int change_flow(const struct nol_flow_key *key, struct nol_flow *flow,
				       enum nol_flow_state to, __u32 *held)
{
	const struct nol_config *config = find_config();
	const enum nol_flow_state from = flow_state(flow);
	int err = flow_change(flow, from, to, held);

	if (err || to != NOL_FLOW_HANDED_OFF)
		return err;
	use_cookie(key, flow->cookie);
	if (from == NOL_FLOW_GONE && config)
		close_flow(key, flow, config);
	return 0;
}

#endif
