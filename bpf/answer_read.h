/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What ingress has to know of a SYN before it answers: is it plain, are its options read and its checksum good? */
#ifndef NOLISTEN_BPF_ANSWER_READ_H
#define NOLISTEN_BPF_ANSWER_READ_H

#include "answer_sum.h"
#include "options.h"

#define ANSWER_FLAGS_ECN (TCP_FLAG_ECE | TCP_FLAG_CWR)
#define ANSWER_CHECK_WORD 4 /* of the TCP header */

/* No tag, no options and no extension headers before TCP, and nothing behind it. */
static __always_inline bool has_plain_headers(const struct facts *facts)
{
	return facts->l3_offset == link_header_len() &&
	       facts->l4_offset - facts->l3_offset == ip_header_len(facts->is_ipv4) &&
	       facts->ip_len == ip_header_len(facts->is_ipv4) + facts->header_len &&
	       facts->key.remote_port;
}

/* Only SYN, ECN negotiation aside, which is declined where it cannot be carried. */
static __always_inline bool has_plain_flags(const struct facts *facts, enum nol_answer answer)
{
	if (answer == NOL_ANSWER_PLAIN)
		return (facts->flags & ~ANSWER_FLAGS_ECN) == TCP_FLAG_SYN;
	return is_bare_syn(facts) && !(facts->flags & TCP_FLAG_FIN);
}

/* 240.0.0.0/4 is no source either, which only the engine counts. */
static __always_inline bool has_plain_remote(const struct facts *facts)
{
	return !facts->is_ipv4 || facts->key.remote_addr[12] < 240;
}

/* sum: of the whole TCP header. A local sender may have left it at the sum of the pseudo-header. */
static __always_inline bool is_checksum_good(const struct facts *facts, __u64 sum,
					     __be32 check_word)
{
	__u64 pseudo = sum_pseudo(facts, facts->header_len);

	if (fold_sum(sum + pseudo) == 0xffff)
		return true;
	return *(__u16 *)&check_word == fold_sum(pseudo);
}

/* tcp: right behind an IPv4 header without options, whose checksum the kernel has not looked at yet. */
static __always_inline bool is_ip_header_good(const struct facts *facts, const __be32 *tcp)
{
	return !facts->is_ipv4 || fold_sum(sum_five(tcp - 5)) == 0xffff;
}

/* MSS, SACK-permitted, timestamps, NOP, window scale: what Linux sends, and most of the world with it. */
static __always_inline bool read_linux_options(const __be32 *words, struct options *options)
{
	__u32 mss = bpf_ntohl(words[0]), wscale = bpf_ntohl(words[4]);

	if (mss >> 16 != (OPTION_MSS << 8 | OPTION_MSS_LEN) || words[1] != bpf_htonl(0x0402080a) ||
	    wscale >> 8 != 0x010303)
		return false;
	options->mss = mss;
	options->has = NOL_OFFER_SACK | NOL_OFFER_TIMESTAMPS;
	options->tsval = bpf_ntohl(words[2]);
	take_wscale(options, wscale & 0xff);
	return true;
}

/* True: these were the options, and the checksum is good. */
static __always_inline bool read_fast(struct xdp_md *ctx, const struct facts *facts,
				      struct options *options)
{
	struct cursor cursor = cursor_at(ctx->data, ctx->data_end);
	const __be32 *words = cursor.data + link_header_len() + ip_header_len(facts->is_ipv4);

	if (facts->header_len != 40 || (void *)(words + 10) > cursor.end)
		return false;
	return is_ip_header_good(facts, words) && read_linux_options(words + 5, options) &&
	       is_checksum_good(facts, sum_five(words) + sum_five(words + 5),
				words[ANSWER_CHECK_WORD]);
}

static __always_inline bool read_slowly(struct xdp_md *ctx, const struct facts *facts,
					struct options *options)
{
	struct cursor cursor = cursor_at(ctx->data, ctx->data_end);
	const __be32 *words = cursor.data + link_header_len() + ip_header_len(facts->is_ipv4);
	struct options_walk walk = {};
	const __be32 *options_words;
	__be32 check_word;
	__u64 sum;

	if ((void *)(words + 5) > cursor.end || !is_ip_header_good(facts, words))
		return false;
	sum = sum_five(words);
	check_word = words[ANSWER_CHECK_WORD];
	if (!options_read(ctx, facts, &walk) || walk.is_signed)
		return false;
	*options = walk.found;
	options_words = (const __be32 *)walk.bytes;
	sum += sum_five(options_words) + sum_five(options_words + 5);
	return is_checksum_good(facts, sum, check_word);
}

#endif
