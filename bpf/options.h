/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The TCP options of a packet (RFC 9293, 3.1; RFC 7323; RFC 2018), read as Linux reads them: user/net/tcpopt.c has
 * the rules. They are copied first and walked by bpf_loop(): an ordinary loop over packet pointers is more than
 * the verifier can follow.
 */
#ifndef NOLISTEN_BPF_OPTIONS_H
#define NOLISTEN_BPF_OPTIONS_H

#include "facts.h"
#include "verifier.h"

#define OPTIONS_MAX_LEN 40
#define OPTIONS_MAX_WSCALE 14

#define OPTION_END 0
#define OPTION_NOP 1
#define OPTION_MSS 2
#define OPTION_WSCALE 3
#define OPTION_SACK_PERMITTED 4
#define OPTION_TIMESTAMPS 8
#define OPTION_MD5 19
#define OPTION_AO 29

#define OPTION_MSS_LEN 4
#define OPTION_WSCALE_LEN 3
#define OPTION_SACK_PERMITTED_LEN 2
#define OPTION_TIMESTAMPS_LEN 10
#define OPTION_MD5_LEN 18

struct options {
	__u32 tsval, tsecr;
	__u16 mss; /* 0: none */
	__u8 wscale; /* at most 14 */
	__u8 has; /* enum nol_offer, MSS aside */
};

struct options_walk {
	__u8 bytes[64]; /* so that any index below 64 is inside; zero behind len */
	__u32 pos;
	__u32 len;
	__u32 is_signed; /* or may be: the engine has the rules (user/net/tcpopt.c) */
	struct options found;
};

static __always_inline __u32 options_byte(const struct options_walk *walk, __u32 pos)
{
	return walk->bytes[pos & 63];
}

static __always_inline __u32 options_word(const struct options_walk *walk, __u32 pos)
{
	return options_byte(walk, pos) << 24 | options_byte(walk, pos + 1) << 16 |
	       options_byte(walk, pos + 2) << 8 | options_byte(walk, pos + 3);
}

static __always_inline void take_wscale(struct options *found, __u32 wscale)
{
	found->has |= NOL_OFFER_WSCALE;
	found->wscale = wscale < OPTIONS_MAX_WSCALE ? wscale : OPTIONS_MAX_WSCALE;
}

/* Of two options of a kind the last one counts. */
static __always_inline void take_option(struct options_walk *walk, __u32 kind, __u32 len)
{
	struct options *found = &walk->found;
	__u32 value = walk->pos + 2;

	if (kind == OPTION_MSS && len == OPTION_MSS_LEN) {
		/* Linux skips an MSS of 0, so an earlier one stays. */
		found->mss = (options_byte(walk, value) << 8 | options_byte(walk, value + 1))
				     ?: found->mss;
	} else if (kind == OPTION_WSCALE && len == OPTION_WSCALE_LEN) {
		take_wscale(found, options_byte(walk, value));
	} else if (kind == OPTION_SACK_PERMITTED && len == OPTION_SACK_PERMITTED_LEN) {
		found->has |= NOL_OFFER_SACK;
	} else if (kind == OPTION_TIMESTAMPS && len == OPTION_TIMESTAMPS_LEN) {
		found->has |= NOL_OFFER_TIMESTAMPS;
		found->tsval = options_word(walk, value);
		found->tsecr = options_word(walk, value + 4);
	}
}

/* One option; 1 ends the walk. */
static long options_step(__u32 index, void *context)
{
	struct options_walk *walk = context;
	__u32 pos = walk->pos;
	__u32 kind = options_byte(walk, pos), len = options_byte(walk, pos + 1);

	if (pos >= walk->len || kind == OPTION_END)
		return 1;
	if (kind == OPTION_NOP) {
		walk->pos = pos + 1;
		return 0;
	}
	if (pos + OPTION_MD5_LEN <= walk->len &&
	    (kind == OPTION_MD5 || kind == OPTION_AO || len < 2 || pos + len > walk->len))
		walk->is_signed = 1;
	if (len < 2 || pos + len > walk->len)
		return 1;
	take_option(walk, kind, len);
	walk->pos = pos + len;
	return 0;
}

static __always_inline void start_walk(struct options_walk *walk, __u32 len)
{
	const __u32 zero = nol_zero;

	walk->pos = zero;
	walk->len = len;
	walk->is_signed = zero;
	walk->found = (struct options){
		.tsval = zero,
		.tsecr = zero,
		.mss = zero,
		.wscale = zero,
		.has = zero,
	};
}

/* The len bytes of walk->bytes. */
static __always_inline void walk_options(struct options_walk *walk, __u32 len)
{
	start_walk(walk, len);
	bpf_loop(OPTIONS_MAX_LEN, options_step, walk, 0);
}

/* *walk has to be zero. False: they cannot be read. */
static __always_inline bool options_read(struct xdp_md *ctx, const struct facts *facts,
					 struct options_walk *walk)
{
	__u32 len = facts->header_len - TCP_MIN_HEADER;

	if (len == 0)
		return true;
	if (len > OPTIONS_MAX_LEN)
		return false;
	if (bpf_xdp_load_bytes(ctx, facts->l4_offset + TCP_MIN_HEADER, walk->bytes,
			       bounded(len, 4, OPTIONS_MAX_LEN)))
		return false;
	walk_options(walk, len);
	return true;
}

#endif
