/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Method accept: the segment that brings a cookie back makes the kernel's own child. It gets a request socket with what was
 * agreed, and the kernel queues the connection at a parent of ours, which listens where nobody can reach it. What is not a
 * cookie goes on to the kernel, which answers as for any port that has no connection there.
 *
 * Nearly every packet here is of a connection that goes on, so the cookie is looked at first, and the sockets only then.
 */
#ifndef NOLISTEN_BPF_ACCEPT_H
#define NOLISTEN_BPF_ACCEPT_H

#include "accept_syn.h"
#include "accept_wait.h"
#include "clock.h"
#include "source_full.h"
#include "used.h"

#define MAKING_LOOKS 1000 /* as many as MAKING_SPIN_NS has room for */

extern int bpf_sk_assign_tcp_reqsk(struct __sk_buff *skb, struct sock *sk,
				   struct bpf_tcp_req_attrs *attrs, int attrs__sz) __ksym __weak;

#define PARENT_TRIES 4 /* of an endpoint's: some may have gone */

/* To be released. addr: of 4 bytes or 16. */
static __always_inline struct bpf_sock *listener_find(struct __sk_buff *skb, const __u8 addr[16],
						      __u16 port, bool is_ipv4)
{
	struct bpf_sock_tuple tuple = {};

	if (is_ipv4) {
		__builtin_memcpy(&tuple.ipv4.daddr, addr, 4);
		tuple.ipv4.dport = bpf_htons(port);
		return bpf_skc_lookup_tcp(skb, &tuple, sizeof(tuple.ipv4), BPF_F_CURRENT_NETNS, 0);
	}
	__builtin_memcpy(tuple.ipv6.daddr, addr, 16);
	tuple.ipv6.dport = bpf_htons(port);
	return bpf_skc_lookup_tcp(skb, &tuple, sizeof(tuple.ipv6), BPF_F_CURRENT_NETNS, 0);
}

/* One of the endpoint's, by the flow's hash; the next one if that has gone. */
static __always_inline struct bpf_sock *
parent_choose(struct __sk_buff *skb, const struct facts *facts, const struct nol_endpoint *endpoint)
{
	const __u32 count = endpoint->count;
	__u32 chosen = flow_hash(&facts->key) >> 8;
	struct bpf_sock *parent;

	for (int i = 0; i < PARENT_TRIES; i++, chosen++) {
		const __u32 index = chosen % count & (NOL_ENDPOINT_PARENTS - 1);
		const bool is_ipv4 = endpoint->are_ipv4 >> index & 1;

		if (is_ipv4 && !facts->is_ipv4)
			continue;
		parent = listener_find(skb, is_ipv4 ? endpoint->addr_v4 : endpoint->addr,
				       endpoint->ports[index], is_ipv4);
		if (parent && parent->state == BPF_TCP_LISTEN)
			return parent;
		if (parent)
			bpf_sk_release(parent);
	}
	return NULL;
}

/* The listener of the endpoint, or of the worker whose flow it is, to be released. */
static __always_inline struct bpf_sock *parent_find(struct __sk_buff *skb,
						    const struct facts *facts)
{
	const struct nol_parent *parent = &nol_parents[0];
	const struct nol_endpoint *endpoint = NULL;

	if (!nol_lacks_endpoints && nol_has_endpoints)
		endpoint = endpoint_find(facts->key.local_addr, facts->key.local_port);
	if (endpoint && endpoint->count)
		return parent_choose(skb, facts, endpoint);
	if (nol_workers > 1)
		parent = &nol_parents[worker_of(&facts->key)];
	if (!parent->port || (parent->is_ipv4 && !facts->is_ipv4))
		return NULL;
	return listener_find(skb, parent->addr + (parent->is_ipv4 ? 12 : 0), parent->port,
			     parent->is_ipv4);
}

static __always_inline bool is_queue_full(const struct sock *sk)
{
	return sk->sk_ack_backlog > sk->sk_max_ack_backlog;
}

/* Of find_advertised(). */
static __always_inline __u8 advertised_wscale(const struct nol_cookie *config,
					      const struct facts *facts)
{
	const struct nol_advertised *found = config->has_routes ? find_route(facts) : NULL;

	if (found)
		return found->wscale;
	return facts->is_ipv4 ? config->v4.wscale : config->v6.wscale;
}

/* The kernel takes no less. */
static __always_inline __u16 limit_mss(__u16 mss, bool is_ipv4)
{
	const __u16 least = is_ipv4 ? NOL_MSS_MIN_V4 : NOL_MSS_MIN_V6;
	const __u16 limit = nol_mss_limit > least ? nol_mss_limit : least;

	return nol_mss_limit && limit < mss ? limit : mss;
}

/* What the kernel is told of a handshake that it has not seen. */
static __always_inline void fill_attributes(struct bpf_tcp_req_attrs *attrs,
					    const struct nol_cookie *config,
					    const struct facts *facts,
					    const struct nol_terms *terms,
					    const struct options *options, __u64 now_ns)
{
	attrs->mss = limit_mss(terms->mss, facts->is_ipv4);
	attrs->sack_ok = !!(terms->options & NOL_TERM_SACK);
	attrs->ecn_ok = !!(terms->options & NOL_TERM_ECN);
	if (terms->options & NOL_TERM_WSCALE) {
		attrs->wscale_ok = 1;
		attrs->snd_wscale = terms->wscale;
		attrs->rcv_wscale = advertised_wscale(config, facts);
	}
	if (!(terms->options & NOL_TERM_TIMESTAMPS))
		return;
	attrs->tstamp_ok = 1;
	attrs->rcv_tsval = options->tsval;
	/* Not the echo: the kernel goes on from here, and takes its distance from the echo for the RTT. */
	attrs->rcv_tsecr = nol_tsval_after(options->tsecr, nol_clock_ms(now_ns) + terms->ts_offset);
}

/* Of the 4-tuple of a valid cookie: has the kernel got it already? Behind a TIME-WAIT socket there is no place for a child. */
static __always_inline bool is_taken(struct __sk_buff *skb, const struct facts *facts)
{
	struct bpf_sock *sk = owner_find(skb, facts);

	if (!sk)
		return false;
	bpf_sk_release(sk);
	return true;
}

/* A look for a socket that another processor makes. */
struct awaiting {
	struct __sk_buff *skb;
	const struct facts *facts;
	__u64 until_ns;
	bool has_come;
};

static long look_again(__u32 index, struct awaiting *awaiting)
{
	(void)index;
	awaiting->has_come = is_taken(awaiting->skb, awaiting->facts);
	return awaiting->has_come || bpf_ktime_get_ns() > awaiting->until_ns;
}

/*
 * The cookie was used: by a connection that is over, which the kernel says by a RST, or by one that begins this instant. A
 * RST would end that; what is dropped is sent again.
 */
LOOKED_AT_ONCE int follow(struct __sk_buff *skb, const struct facts *facts, __u64 now_ns)
{
	struct awaiting awaiting = {.skb = skb, .facts = facts};
	__u64 since_ns;

	if (!facts)
		return TC_ACT_UNSPEC;
	since_ns = find_making(facts, now_ns);
	awaiting.until_ns = now_ns + MAKING_SPIN_NS - since_ns;
	if (since_ns <= MAKING_SPIN_NS)
		bpf_loop(MAKING_LOOKS, look_again, &awaiting, 0);
	if (awaiting.has_come) {
		count(accept_awaited);
		capture_ingress(skb, facts, PASSED, accept_awaited);
		return TC_ACT_UNSPEC;
	}
	if (since_ns <= MAKING_MAX_NS) {
		count(accept_early);
		capture_ingress(skb, facts, DROPPED, accept_early);
		return TC_ACT_SHOT;
	}
	count(cookie_used);
	capture_ingress(skb, facts, PASSED, cookie_used);
	return TC_ACT_UNSPEC;
}

/* No verdicts. */
#define CLAIMED_BY_OTHER 100 /* another processor makes the socket */
#define NO_PARENT 101 /* its loader was killed just now */
#define GIVEN 102 /* to a request socket, and passed */

static __always_inline int assign(struct __sk_buff *skb, const struct facts *facts,
				  struct bpf_sock *parent, struct bpf_tcp_req_attrs *attrs,
				  __u64 now_ns)
{
	struct tcp_sock *tcp = bpf_skc_to_tcp_sock(parent);
	struct sock *sk = (struct sock *)tcp;
	bool is_full;

	if (parent->state != BPF_TCP_LISTEN || !tcp)
		return TC_ACT_UNSPEC;
	/* Then it is dropped, without a word, and comes again; the kernel counts a ListenOverflow. */
	is_full = is_queue_full(sk);
	if (is_full) {
		count(lost_queue_full);
		capture_ingress(skb, facts, DROPPED, lost_queue_full);
	} else if (!claim_cookie(facts, now_ns)) {
		return CLAIMED_BY_OTHER;
	}
	if (bpf_sk_assign_tcp_reqsk(skb, sk, attrs, sizeof(*attrs))) {
		count(accept_failed);
		if (!is_full)
			give_cookie_back(facts);
		return TC_ACT_UNSPEC;
	}
	count(accept_child);
	if (!is_full)
		capture_ingress(skb, facts, ACCEPTED, accept_child);
	return GIVEN;
}

static __always_inline bool may_accept(struct __sk_buff *skb, const struct facts *facts,
				       __u64 now_ns)
{
	const struct nol_config *config = find_config();

	if (is_of_other_vlan(skb))
		return false;
	if (!config || !is_owner_alive(config, now_ns)) {
		count(ingress_stale);
		return false;
	}
	if (!is_local_answered(&facts->key)) {
		count(ingress_not_answered);
		return false;
	}
	return true;
}

/* What is none is not counted: nearly all of it belongs to connections that go on. Its stack is gone when a child is made. */
LOOKED_AT_ONCE bool is_cookie(const struct facts *facts, struct cookie_proof *proof)
{
	const struct nol_cookie *config = find_cookie_config();

	return facts && proof && config && facts->key.remote_port &&
	       cookie_matches(config, facts, proof);
}

/* By the flags and by the slot in its acknowledgement number: half of all segments of connections are sorted out here. */
static __always_inline bool may_be_cookie(const struct facts *facts)
{
	const struct nol_cookie *cookie = find_cookie_config();

	return cookie && cookie->newest && may_complete(facts) &&
	       cookie_age(cookie, facts->ack - 1) <= 1;
}

/* Nothing but an ACK. What comes with data brings the cookie again. */
static __always_inline bool is_bare_ack(const struct facts *facts)
{
	return facts->ip_len + facts->l3_offset == facts->l4_offset + facts->header_len &&
	       !(facts->flags & TCP_FLAG_FIN);
}

/* When a parent was missing last, with --pin: CLOCK_MONOTONIC. */
__u64 nol_parentless_ns;

/* Of a valid cookie that nobody has used: the verdict, or one that is none. */
LOOKED_AT_ONCE int give_child(struct __sk_buff *skb, const struct facts *facts,
			      const struct nol_terms *terms, const struct options *options,
			      __u64 now_ns)
{
	const struct nol_cookie *config = find_cookie_config();
	struct bpf_tcp_req_attrs attrs = {};
	struct bpf_sock *parent;
	int verdict;

	if (!facts || !terms || !options || !config)
		return TC_ACT_UNSPEC;
	parent = parent_find(skb, facts);
	if (!parent && nol_keeps) {
		nol_parentless_ns = now_ns;
		return NO_PARENT;
	}
	if (!parent) {
		count(accept_failed);
		return TC_ACT_UNSPEC;
	}
	/* What it held has ended with its loader, if there is no parent. */
	if (nol_has_full_sources && is_source_full(facts)) {
		count(accept_source_full);
		capture_ingress(skb, facts, PASSED, accept_source_full);
		verdict = TC_ACT_UNSPEC;
	} else {
		fill_attributes(&attrs, config, facts, terms, options, now_ns);
		verdict = assign(skb, facts, parent, &attrs, now_ns);
	}
	bpf_sk_release(parent);
	return verdict;
}

/* A segment that may be one. A function of its own: inlined, clang 14 crashes over it. */
LOOKED_AT_ONCE int accept_ack(struct __sk_buff *skb, const struct facts *facts)
{
	const struct nol_cookie *config = find_cookie_config();
	struct options_walk walk = {};
	struct nol_terms terms = {};
	struct cookie_proof proof = {};
	bool is_partial;
	__u64 now_ns;
	int verdict;

	if (!facts || !config || !is_cookie(facts, &proof))
		return TC_ACT_UNSPEC;
	now_ns = bpf_ktime_get_ns();
	if (!may_accept(skb, facts, now_ns) || !read_skb_options(skb, facts, &walk))
		return TC_ACT_UNSPEC;
	if (is_taken(skb, facts)) {
		count(ingress_owned);
		capture_ingress(skb, facts, PASSED, ingress_owned);
		return TC_ACT_UNSPEC;
	}
	if (!cookie_read_terms(config, facts, &proof, &walk.found, now_ns, &terms))
		return TC_ACT_UNSPEC;
	if (is_used(facts, used_mark(facts)))
		return follow(skb, facts, now_ns);
	/* A listener without a key drops it. */
	if (walk.is_signed) {
		count(accept_unfit);
		capture_ingress(skb, facts, DROPPED, accept_unfit);
		return TC_ACT_SHOT;
	}
	/* The kernel drops it, and what comes again is not to be the second. */
	if (is_cut_skb(skb, facts) || !is_skb_checksum_good(skb, facts, &is_partial))
		return TC_ACT_UNSPEC;
	if (nol_defers && is_bare_ack(facts)) {
		count(accept_deferred);
		capture_ingress(skb, facts, DROPPED, accept_deferred);
		return TC_ACT_SHOT;
	}
	if (has_no_listener_yet(facts) || is_next_awaited(now_ns))
		return hold_awaited(skb, facts);
	verdict = give_child(skb, facts, &terms, &walk.found, now_ns);
	if (verdict == NO_PARENT)
		return hold_awaited(skb, facts);
	return verdict == CLAIMED_BY_OTHER ? follow(skb, facts, now_ns) : verdict;
}

/* A parent was missing since its loader's last word: that was killed, and is not known to be away yet. */
static __always_inline bool is_parentless(const struct nol_config *config)
{
	return *(volatile __u64 *)&nol_parentless_ns > config->heartbeat_ns;
}

/*
 * To an endpoint that waits, or while there is no loader, of a connection that somebody is to have: a RST of the kernel would
 * end it.
 */
LOOKED_AT_ONCE bool is_kept_quiet(struct __sk_buff *skb, const struct facts *facts)
{
	const struct nol_config *config = find_config();
	const __u64 now_ns = clock_coarse_ns();

	if (!facts || !config || !is_owner_alive(config, now_ns) || facts->flags & TCP_FLAG_RST)
		return false;
	if (nol_keeps && (presence_of(config, now_ns) != NOL_PRESENT || is_parentless(config)))
		return is_local_answered(&facts->key) && !is_taken(skb, facts);
	return has_no_listener_yet(facts) && !is_taken(skb, facts);
}

static __always_inline int take_segment_of_others(struct __sk_buff *skb, const struct facts *facts)
{
	const int verdict = may_be_cookie(facts) ? accept_ack(skb, facts) : TC_ACT_UNSPEC;

	if (verdict == GIVEN)
		return TC_ACT_UNSPEC;
	if ((nol_has_waiting || nol_keeps) && verdict == TC_ACT_UNSPEC && is_kept_quiet(skb, facts))
		return TC_ACT_SHOT;
	return verdict;
}

/* In XDP: a SYN that can be answered here and now. Whatever else there is, TC looks at, and counts. */
static __always_inline int answer_or_pass(struct xdp_md *ctx, const struct facts *facts,
					  const struct nol_config *config, __u64 now_ns)
{
	struct bpf_sock *sk;

	if (!is_bare_syn(facts) || !is_owner_alive(config, now_ns) ||
	    !is_local_answered(&facts->key) || is_odd(ctx, facts))
		return XDP_PASS;
	sk = owner_find(ctx, facts);
	if (!sk)
		return answer_syn(ctx, facts) ? XDP_TX : XDP_PASS;
	bpf_sk_release(sk);
	return XDP_PASS;
}

#endif
