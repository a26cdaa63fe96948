/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The SYN-ACK, in place: the frame that came in goes back with its addresses swapped. Byte for byte what
 * user/net/segment.c would build.
 */
#ifndef NOLISTEN_BPF_ANSWER_WRITE_H
#define NOLISTEN_BPF_ANSWER_WRITE_H

#include "advertised.h"
#include "answer_read.h"
#include "cookie.h"

#define ANSWER_TTL 64
#define ANSWER_FLAGS_SYN_ACK 0x12
#define ANSWER_MIN_WORDS 5 /* of a TCP header */
#define ANSWER_MAX_WORDS 10 /* and options */

/* The reply's TCP header in network order; unused words are zero. */
struct answer {
	__be32 words[ANSWER_MAX_WORDS];
	__u32 count;
};

/* Of a remote without timestamps. */
static __always_inline void build_short_options(struct answer *answer, __be32 wscale,
						const struct options *options)
{
	const __be32 sack = bpf_htonl(0x01010402);

	if (!(options->has & NOL_OFFER_SACK)) {
		answer->words[6] = options->has & NOL_OFFER_WSCALE ? wscale : 0;
		answer->count = options->has & NOL_OFFER_WSCALE ? 7 : 6;
		return;
	}
	answer->words[6] = sack;
	answer->words[7] = options->has & NOL_OFFER_WSCALE ? wscale : 0;
	answer->count = options->has & NOL_OFFER_WSCALE ? 8 : 7;
}

/* In Linux's order, see tcpopt_build(). */
static __always_inline void build_options(struct answer *answer, const struct nol_cookie *config,
					  const struct nol_advertised *advertised,
					  const struct options *options, __u32 tsval)
{
	const __be32 wscale = bpf_htonl(0x01030300 | advertised->wscale);

	answer->words[5] = bpf_htonl(OPTION_MSS << 24 | OPTION_MSS_LEN << 16 | advertised->mss);
	if (!(options->has & NOL_OFFER_TIMESTAMPS)) {
		build_short_options(answer, wscale, options);
		return;
	}
	answer->count = 9;
	answer->words[6] =
		options->has & NOL_OFFER_SACK ? bpf_htonl(0x0402080a) : bpf_htonl(0x0101080a);
	answer->words[7] = bpf_htonl(tsval);
	answer->words[8] = bpf_htonl(options->tsval);
	if (!(options->has & NOL_OFFER_WSCALE))
		return;
	answer->count = 10;
	answer->words[9] = wscale;
}

static __always_inline void build_header(struct answer *answer, const struct nol_cookie *config,
					 const struct nol_advertised *advertised,
					 const struct facts *facts, bool has_timestamps, __u32 iss)
{
	__u32 offset_and_flags = answer->count << 12 | ANSWER_FLAGS_SYN_ACK;
	__u32 window = has_timestamps ? advertised->window[1] : advertised->window[0];
	__u16 check;

	if (cookie_has_ecn(config, facts, has_timestamps))
		offset_and_flags |= TCP_FLAG_ECE;
	answer->words[0] = bpf_htonl((__u32)facts->key.local_port << 16 | facts->key.remote_port);
	answer->words[1] = bpf_htonl(iss);
	answer->words[2] = bpf_htonl(facts->seq + 1);
	answer->words[3] = bpf_htonl(offset_and_flags << 16 | window);
	answer->words[ANSWER_CHECK_WORD] = 0;
	check = ~fold_sum(sum_five(answer->words) + sum_five(answer->words + 5) +
			  sum_pseudo(facts, answer->count * 4));
	answer->words[ANSWER_CHECK_WORD] = join_halves(check, 0);
}

/* After the link header, up to whose end everything is at hand. */
static __always_inline void write_ipv4(__be32 *words, const struct facts *facts, __u32 len)
{
	words[0] = bpf_htonl(0x45000000 | len);
	words[1] = bpf_htonl(0x00004000);
	words[2] = bpf_htonl(ANSWER_TTL << 24 | IPPROTO_TCP << 16);
	words[3] = words_of(facts->key.local_addr)[3];
	words[4] = words_of(facts->key.remote_addr)[3];
	((__u16 *)words)[5] =
		~fold_sum((__u64)bpf_htonl(0x45000000 | len) + bpf_htonl(0x00004000) +
			  bpf_htonl(ANSWER_TTL << 24 | IPPROTO_TCP << 16) + words[3] + words[4]);
}

static __always_inline void write_ipv6(__be32 *words, const struct facts *facts, __u32 len)
{
	words[0] = bpf_htonl(0x60000000);
	words[1] = bpf_htonl((len - (__u32)sizeof(struct ipv6hdr)) << 16 | IPPROTO_TCP << 8 |
			     ANSWER_TTL);
	__builtin_memcpy(words + 2, facts->key.local_addr, 16);
	__builtin_memcpy(words + 6, facts->key.remote_addr, 16);
}

/* By halves: the header is packed, which clang would copy byte by byte. */
static __always_inline void swap_link(struct ethhdr *eth)
{
	__u16 *halves = (__u16 *)(void *)eth;
	const __u16 a = halves[0], b = halves[1], c = halves[2];

	halves[0] = halves[3];
	halves[1] = halves[4];
	halves[2] = halves[5];
	halves[3] = a;
	halves[4] = b;
	halves[5] = c;
}

/* From a word on; false: the frame ends before that. */
static __always_inline bool write_words(__be32 *words, void *end, const struct answer *answer,
					__u32 from, __u32 count)
{
	if ((void *)(words + from + count) > end)
		return false;
	__builtin_memcpy(words + from, answer->words + from, count * 4);
	return true;
}

static __always_inline bool write_tcp(__be32 *words, void *end, const struct answer *answer)
{
	if (answer->count == ANSWER_MAX_WORDS)
		return write_words(words, end, answer, 0, ANSWER_MAX_WORDS);
	if (answer->count == ANSWER_MIN_WORDS)
		return write_words(words, end, answer, 0, ANSWER_MIN_WORDS);
	if (!write_words(words, end, answer, 0, 6))
		return false;
	if (answer->count == 9)
		return write_words(words, end, answer, 6, 3);
	if (answer->count > 6 && !write_words(words, end, answer, 6, 1))
		return false;
	return answer->count != 8 || write_words(words, end, answer, 7, 1);
}

static __always_inline bool write_frame(struct xdp_md *ctx, const struct facts *facts,
					const struct answer *answer)
{
	const __u32 ip_header = ip_header_len(facts->is_ipv4);
	struct cursor cursor = cursor_at(ctx->data, ctx->data_end);
	__be32 *ip = cursor.data + link_header_len();

	if ((void *)ip + ip_header > cursor.end ||
	    !write_tcp((void *)ip + ip_header, cursor.end, answer))
		return false;
	if (facts->is_ipv4)
		write_ipv4(ip, facts, ip_header + answer->count * 4);
	else
		write_ipv6(ip, facts, ip_header + answer->count * 4);
	if (nol_has_link_header)
		swap_link(cursor.data);
	return true;
}

static __always_inline bool is_fitting(struct xdp_md *ctx, const struct facts *facts,
				       const struct answer *answer)
{
	struct cursor cursor = cursor_at(ctx->data, ctx->data_end);

	return cursor.end - cursor.data == facts->l4_offset + answer->count * 4;
}

/* The reply may be shorter or longer than the SYN. */
static __always_inline bool fit_frame(struct xdp_md *ctx, const struct facts *facts,
				      const struct answer *answer)
{
	__u32 wanted = facts->l4_offset + answer->count * 4;

	if (is_fitting(ctx, facts, answer))
		return true;
	return !bpf_xdp_adjust_tail(ctx, (int)(wanted - bpf_xdp_get_buff_len(ctx)));
}

static __always_inline void build_answer(struct answer *answer, const struct nol_cookie *config,
					 const struct facts *facts, const struct options *options,
					 const struct cookie *cookie)
{
	const struct nol_advertised advertised = find_advertised(config, facts);

	build_options(answer, config, &advertised, options, cookie->tsval);
	build_header(answer, config, &advertised, facts, options->has & NOL_OFFER_TIMESTAMPS,
		     cookie->iss);
}

#endif
