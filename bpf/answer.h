/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * SYN to SYN-ACK. What a cookie or the rewriting in place cannot carry is left to the engine: data, IP options and
 * extension headers, a tagged frame, a signature, an MSS below every class, a bad checksum.
 */
#ifndef NOLISTEN_BPF_ANSWER_H
#define NOLISTEN_BPF_ANSWER_H

#include "answer_write.h"
#include "capture.h"

static __always_inline bool may_answer(const struct nol_cookie *config, const struct facts *facts)
{
	return config->answer != NOL_ANSWER_NONE && has_plain_headers(facts) &&
	       has_plain_flags(facts, config->answer) && has_plain_remote(facts);
}

/* Make the SYN its SYN-ACK; false: it is as it was, and the engine's to answer. */
LOOKED_AT_ONCE bool answer_syn(struct xdp_md *ctx, const struct facts *facts)
{
	const struct nol_cookie *config = find_cookie_config();
	struct options options = {};
	struct answer answer = {};
	struct capture_before syn = {};
	struct cookie cookie;

	if (!facts || !config || !may_answer(config, facts) || !read_slowly(ctx, facts, &options))
		return false;
	decline_options(config, &options);
	if (!cookie_make(config, facts, &options, cookie_clock_ns(config), &cookie))
		return false;
	build_answer(&answer, config, facts, &options, &cookie);
	capture_begin(ctx, &syn);
	if (!fit_frame(ctx, facts, &answer) || !write_frame(ctx, facts, &answer)) {
		capture_forget(&syn);
		return false;
	}
	count(cookie_sent);
	capture_answered(&syn, capture_word(ANSWERED, cookie_sent));
	capture_reply(ctx, cookie_sent);
	return true;
}

#endif
