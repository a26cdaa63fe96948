/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * SYN to SYN-ACK. What a cookie or the rewriting in place cannot carry is left to the engine: data, IP options and
 * extension headers, a tagged frame, an MSS below every class, a bad checksum.
 */
#ifndef NOLISTEN_BPF_ANSWER_H
#define NOLISTEN_BPF_ANSWER_H

#include "answer_write.h"

#define ANSWER_MSS_LOSS 16 /* a sixteenth less is no loss */

/* Would the remote lose by a cookie? Without timestamps only the MSS comes back, and that rounded down. */
static __always_inline bool is_lossy(const struct options *options, __u16 mss, __u16 class_mss)
{
	if (!(options->has & NOL_OFFER_TIMESTAMPS) && options->has)
		return true;
	return class_mss < mss - mss / ANSWER_MSS_LOSS;
}

static __always_inline bool may_answer(const struct nol_cookie *config, const struct facts *facts)
{
	return config->answer != NOL_ANSWER_NONE && has_plain_headers(facts) &&
	       has_plain_flags(facts, config->answer) && has_plain_remote(facts);
}

/* The MSS class of the cookie; false: the engine's to answer. */
static __always_inline bool choose_class(const struct nol_cookie *config, const struct facts *facts,
					 const struct options *options, __u32 *class)
{
	__u16 mss = effective_mss(options, facts->is_ipv4);

	if (!cookie_find_class(mss, facts->is_ipv4, class))
		return false;
	return config->answer != NOL_ANSWER_PLAIN ||
	       !is_lossy(options, mss, cookie_class_mss(*class, facts->is_ipv4));
}

/* Make the SYN its SYN-ACK; false: it is as it was, and the engine's to answer. */
static __always_inline bool answer_syn(struct xdp_md *ctx, const struct facts *facts, __u64 now_ns)
{
	const struct nol_cookie *config = find_cookie_config();
	struct options options = {};
	struct answer answer = {};
	__u32 class;

	if (!config || !may_answer(config, facts))
		return false;
	if (!read_slowly(ctx, facts, &options) || !choose_class(config, facts, &options, &class))
		return false;
	build_answer(&answer, config, facts, &options, cookie_make(config, facts, class), now_ns);
	if (!fit_frame(ctx, facts, &answer) || !write_frame(ctx, facts, &answer))
		return false;
	count(cookie_sent);
	return true;
}

#endif
