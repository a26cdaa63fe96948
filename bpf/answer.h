/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * SYN to SYN-ACK, in place: the frame that came in goes back with its addresses swapped. What a cookie or this
 * rewriting cannot carry is left to the engine: data, IP options and extension headers, a tagged frame, an MSS
 * below every class, a bad checksum. The replies are byte for byte what user/net/segment.c would build.
 */
#ifndef NOLISTEN_BPF_ANSWER_H
#define NOLISTEN_BPF_ANSWER_H

#include "cookie.h"

#define ANSWER_TTL 64
#define ANSWER_MSS_LOSS 16 /* a sixteenth less is no loss */
#define ANSWER_FLAGS_SYN_ACK 0x12
#define ANSWER_FLAGS_ECN (TCP_FLAG_ECE | TCP_FLAG_CWR)
#define ANSWER_MAX_WORDS 10 /* of TCP header and options */
#define ANSWER_CHECK_WORD 4

/* The SYN-ACK's TCP header in network order; unused words are zero. */
struct answer {
	__be32 words[ANSWER_MAX_WORDS];
	__u32 count;
};

static __always_inline __u32 link_header_len(void)
{
	return nol_has_link_header ? sizeof(struct ethhdr) : 0;
}

static __always_inline __u32 ip_header_len(bool is_ipv4)
{
	return is_ipv4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
}

/* No tag, no options and no extension headers before TCP, and nothing behind it. */
static __always_inline bool has_plain_headers(const struct facts *facts)
{
	return facts->l3_offset == link_header_len() &&
	       facts->l4_offset - facts->l3_offset == ip_header_len(facts->is_ipv4) &&
	       facts->ip_len == ip_header_len(facts->is_ipv4) + facts->header_len &&
	       facts->key.remote_port;
}

/* Only SYN, ECN negotiation aside, which is declined in any case. */
static __always_inline bool has_plain_flags(const struct facts *facts, enum nol_answer answer)
{
	if (answer == NOL_ANSWER_PLAIN)
		return (facts->flags & ~ANSWER_FLAGS_ECN) == TCP_FLAG_SYN;
	return !(facts->flags & TCP_FLAG_FIN);
}

/* 240.0.0.0/4 is no source either, which only the engine counts. */
static __always_inline bool has_plain_remote(const struct facts *facts)
{
	return !facts->is_ipv4 || facts->key.remote_addr[12] < 240;
}

/* Written out: clang leaves them as loops, at twice the time of the whole answer. */
static __always_inline __u64 sum_address(const __u8 addr[16])
{
	const __be32 *words = words_of(addr);

	return (__u64)words[0] + words[1] + words[2] + words[3];
}

static __always_inline __u64 sum_five(const __be32 *words)
{
	return (__u64)words[0] + words[1] + words[2] + words[3] + words[4];
}

static __always_inline __u64 sum_pseudo(const struct facts *facts, __u32 tcp_len)
{
	__u64 sum = bpf_htonl(IPPROTO_TCP) + (__u64)bpf_htonl(tcp_len);

	if (facts->is_ipv4)
		return sum + words_of(facts->key.local_addr)[3] +
		       words_of(facts->key.remote_addr)[3];
	return sum + sum_address(facts->key.local_addr) + sum_address(facts->key.remote_addr);
}

/* sum: of fewer than 65,536 words: the second carry is the last. The barrier makes one move of two shifts. */
static __always_inline __u16 fold_sum(__u64 sum)
{
	__u32 low = sum, folded;

	barrier_var(low);
	sum = low + (sum >> 32);
	folded = (__u16)sum + (__u32)(sum >> 16);
	return (__u16)folded + (folded >> 16);
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
	return read_linux_options(words + 5, options) &&
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

	if ((void *)(words + 5) > cursor.end)
		return false;
	sum = sum_five(words);
	check_word = words[ANSWER_CHECK_WORD];
	if (!options_read(ctx, facts, &walk))
		return false;
	*options = walk.found;
	options_words = (const __be32 *)walk.bytes;
	sum += sum_five(options_words) + sum_five(options_words + 5);
	return is_checksum_good(facts, sum, check_word);
}

/* Would the remote lose by a cookie? Without timestamps only the MSS comes back, and that rounded down. */
static __always_inline bool is_lossy(const struct options *options, __u16 mss, __u16 class_mss)
{
	if (!(options->has & NOL_OFFER_TIMESTAMPS) && options->has)
		return true;
	return class_mss < mss - mss / ANSWER_MSS_LOSS;
}

/* In Linux's order, see tcpopt_build(). */
static __always_inline void build_options(struct answer *answer, const struct nol_cookie *config,
					  const struct facts *facts, const struct options *options,
					  __u64 now_ns)
{
	__u32 mss = facts->is_ipv4 ? config->mss_v4 : config->mss_v6;

	answer->count = 6;
	answer->words[5] = bpf_htonl(OPTION_MSS << 24 | OPTION_MSS_LEN << 16 | mss);
	if (!(options->has & NOL_OFFER_TIMESTAMPS))
		return;
	answer->count = 9;
	answer->words[6] =
		options->has & NOL_OFFER_SACK ? bpf_htonl(0x0402080a) : bpf_htonl(0x0101080a);
	answer->words[7] = bpf_htonl(cookie_tsval(config, now_ns, options));
	answer->words[8] = bpf_htonl(options->tsval);
	if (!(options->has & NOL_OFFER_WSCALE))
		return;
	answer->count = 10;
	answer->words[9] = bpf_htonl(0x01030300 | config->wscale);
}

static __always_inline __u16 choose_window(const struct nol_cookie *config, bool is_ipv4,
					   bool has_timestamps)
{
	if (is_ipv4)
		return has_timestamps ? config->window_v4[1] : config->window_v4[0];
	return has_timestamps ? config->window_v6[1] : config->window_v6[0];
}

static __always_inline void build_header(struct answer *answer, const struct nol_cookie *config,
					 const struct facts *facts, __u32 iss)
{
	__u32 offset_and_flags = answer->count << 12 | ANSWER_FLAGS_SYN_ACK;
	__u32 window = choose_window(config, facts->is_ipv4, answer->count > 6);
	__u16 check;

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

static __always_inline bool write_tcp(__be32 *words, void *end, const struct answer *answer)
{
	if ((void *)(words + 6) > end)
		return false;
	__builtin_memcpy(words, answer->words, 24);
	if (answer->count == 6)
		return true;
	if ((void *)(words + 9) > end)
		return false;
	__builtin_memcpy(words + 6, answer->words + 6, 12);
	if (answer->count == 9)
		return true;
	if ((void *)(words + 10) > end)
		return false;
	words[9] = answer->words[9];
	return true;
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

static __always_inline void build_answer(struct answer *answer, const struct nol_cookie *config,
					 const struct facts *facts, const struct options *options,
					 __u32 iss, __u64 now_ns)
{
	build_options(answer, config, facts, options, now_ns);
	build_header(answer, config, facts, iss);
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
