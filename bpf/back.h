/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Connect-back: the table of it, TCP options, and checksums of whole headers. See struct nol_back. */
#ifndef NOLISTEN_BPF_BACK_H
#define NOLISTEN_BPF_BACK_H

#include "facts.h"
#include "stats.h"
#include "verifier.h"

#define BACK_MAX_OPTIONS 40
#define BACK_BUFFER 64 /* a TCP header, in a buffer of which any index below 64 is inside */

#define BACK_KIND_END 0
#define BACK_KIND_NOP 1
#define BACK_KIND_MSS 2
#define BACK_KIND_WSCALE 3
#define BACK_KIND_SACK 4
#define BACK_KIND_TIMESTAMPS 8

#define BACK_LEN_MSS 4
#define BACK_LEN_WSCALE 3
#define BACK_LEN_SACK 2
#define BACK_LEN_TIMESTAMPS 10

/* The length of a TCP header. */
#define back_bounded(len) bounded(len, TCP_MIN_HEADER, TCP_MIN_HEADER + BACK_MAX_OPTIONS)

/* A TCP header and a walk over its options; what is not in keep becomes NOPs. */
struct back_header {
	__u8 bytes[BACK_BUFFER]; /* zero behind the header */
	__u32 len;
	__u32 pos;
	__u32 ts_pos; /* of TSval, with NOL_OFFER_TIMESTAMPS in found */
	__u16 mss;
	__u8 wscale;
	__u8 keep, found; /* enum nol_offer */
};

static __always_inline struct nol_back *back_find(const struct nol_flow_key *key)
{
	return bpf_map_lookup_elem(&nol_backs, key);
}

static __always_inline __u8 *back_byte(struct back_header *header, __u32 pos)
{
	return &header->bytes[pos & (BACK_BUFFER - 1)];
}

static __always_inline __u16 back_get16(struct back_header *header, __u32 pos)
{
	return *back_byte(header, pos) << 8 | *back_byte(header, pos + 1);
}

static __always_inline __u32 back_get32(struct back_header *header, __u32 pos)
{
	return (__u32)back_get16(header, pos) << 16 | back_get16(header, pos + 2);
}

static __always_inline void back_put32(struct back_header *header, __u32 pos, __u32 value)
{
	*back_byte(header, pos) = value >> 24;
	*back_byte(header, pos + 1) = value >> 16;
	*back_byte(header, pos + 2) = value >> 8;
	*back_byte(header, pos + 3) = value;
}

static __always_inline __u8 back_offer_of(__u8 kind, __u8 len)
{
	if (kind == BACK_KIND_MSS && len == BACK_LEN_MSS)
		return NOL_OFFER_MSS;
	if (kind == BACK_KIND_WSCALE && len == BACK_LEN_WSCALE)
		return NOL_OFFER_WSCALE;
	if (kind == BACK_KIND_SACK && len == BACK_LEN_SACK)
		return NOL_OFFER_SACK;
	if (kind == BACK_KIND_TIMESTAMPS && len == BACK_LEN_TIMESTAMPS)
		return NOL_OFFER_TIMESTAMPS;
	return 0;
}

static __always_inline void back_note(struct back_header *header, __u8 offer, __u32 pos)
{
	header->found |= offer;
	if (offer == NOL_OFFER_TIMESTAMPS)
		header->ts_pos = pos + 2;
	else if (offer == NOL_OFFER_MSS)
		header->mss = back_get16(header, pos + 2);
	else if (offer == NOL_OFFER_WSCALE)
		header->wscale = *back_byte(header, pos + 2);
}

static __always_inline void back_blank(struct back_header *header, __u32 pos, __u8 len)
{
	for (__u32 i = 0; i < BACK_MAX_OPTIONS && i < len; i++)
		*back_byte(header, pos + i) = BACK_KIND_NOP;
}

/* One option; 1 ends the walk. */
static long back_step(__u32 index, void *context)
{
	struct back_header *header = context;
	__u32 pos = header->pos;
	__u8 kind = *back_byte(header, pos);
	__u8 len = *back_byte(header, pos + 1);
	__u8 offer;

	if (pos >= header->len || kind == BACK_KIND_END)
		return 1;
	if (kind == BACK_KIND_NOP) {
		header->pos = pos + 1;
		return 0;
	}
	if (len < 2 || pos + len > header->len)
		return 1;
	offer = back_offer_of(kind, len) & header->keep;
	if (offer)
		back_note(header, offer, pos);
	else
		back_blank(header, pos, len);
	header->pos = pos + len;
	return 0;
}

static __always_inline void back_walk(struct back_header *header, __u8 keep)
{
	const __u32 zero = nol_zero;

	header->keep = keep;
	header->pos = TCP_MIN_HEADER + zero;
	header->ts_pos = zero;
	header->mss = zero;
	header->wscale = zero;
	header->found = zero;
	bpf_loop(BACK_MAX_OPTIONS, back_step, header, 0);
}

static __always_inline __u16 back_fold(__u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

/*
 * The pseudo-header's sum, not folded (RFC 9293, 3.1; RFC 8200, 8.1). ip: the IP header in a buffer of its own,
 * IPv4 without options.
 */
static __always_inline __u32 back_pseudo_sum(void *ip, bool is_ipv4, __u32 tcp_len)
{
	__be32 rest = bpf_htonl(IPPROTO_TCP + tcp_len);
	__u32 sum = bpf_csum_diff(NULL, 0, &rest, sizeof(rest), 0);

	if (is_ipv4)
		return bpf_csum_diff(NULL, 0, ip + 12, 8, sum);
	return bpf_csum_diff(NULL, 0, ip + 8, 32, sum);
}

#endif
