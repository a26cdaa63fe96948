/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The short way from SYN to SYN-ACK, for what nearly every SYN is: Linux's options, one answer. Whatever is out of
 * the ordinary, and every count of it, is left to the general way, which starts afresh: nothing has been changed by then.
 *
 * Nothing here may take the segment's address for a helper, nor merge with the general way before the answer is
 * written: the compiler then keeps all of it in registers, and computes sums of constants by itself.
 */
#ifndef NOLISTEN_BPF_ANSWER_FAST_H
#define NOLISTEN_BPF_ANSWER_FAST_H

#include "answer.h"
#include "classify.h"

/* Not a flow's, to an answered address, from a source that may be answered. */
static __always_inline bool is_fast_flowless(struct xdp_md *ctx, const struct facts *facts)
{
	return !is_odd(ctx, facts) && !flow_may_exist(&facts->key) &&
	       is_address_answered(facts->key.local_addr);
}

static __always_inline bool is_unowned(struct xdp_md *ctx, const struct facts *facts)
{
	struct bpf_sock *sk = owner_find(ctx, facts);

	if (!sk)
		return true;
	bpf_sk_release(sk);
	return false;
}

static __always_inline bool answer_family(struct xdp_md *ctx, const struct packet *packet,
					  const struct nol_config *owner)
{
	const struct nol_cookie *config = find_cookie_config();
	struct options options = {};
	struct answer answer = {};
	struct cookie cookie;
	struct facts facts;
	__u64 now_ns;

	facts_read(packet, &facts);
	if (!config || !may_answer(config, &facts) || !read_fast(ctx, &facts, &options) ||
	    !is_fast_flowless(ctx, &facts))
		return false;
	decline_options(config, &options);
	now_ns = cookie_clock_ns(config);
	if (!is_owner_alive(owner, now_ns) || !is_unowned(ctx, &facts) ||
	    !cookie_make(config, &facts, &options, now_ns, &cookie))
		return false;
	build_answer(&answer, config, &facts, &options, &cookie);
	if (!is_fitting(ctx, &facts, &answer) || !write_frame(ctx, &facts, &answer))
		return false;
	count(cookie_sent);
	return true;
}

/* False: take the general way. Each family gets code of its own, in which its sizes are constants. */
static __always_inline bool answer_fast(struct xdp_md *ctx, const struct packet *packet)
{
	const struct nol_config *owner = find_config();
	struct packet copy = *packet;

	if (!owner || nol_connects_back)
		return false;
	if (packet->is_ipv4) {
		copy.is_ipv4 = true;
		return answer_family(ctx, &copy, owner);
	}
	copy.is_ipv4 = false;
	return answer_family(ctx, &copy, owner);
}

#endif
