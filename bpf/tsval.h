/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The TSval of a SYN (RFC 7323, 3.2). The options are copied first and walked by bpf_loop(): an ordinary loop
 * over packet pointers is more than the verifier can follow.
 */
#ifndef NOLISTEN_BPF_TSVAL_H
#define NOLISTEN_BPF_TSVAL_H

#include "segment.h"

#define TSVAL_MAX_OPTIONS 40
#define TSVAL_KIND_END 0
#define TSVAL_KIND_NOP 1
#define TSVAL_KIND_TIMESTAMPS 8
#define TSVAL_LEN_TIMESTAMPS 10

struct tsval_walk {
	__u8 bytes[64]; /* so that any index below 64 is inside */
	__u32 pos;
	__u32 len;
	__u32 tsval;
	bool is_found;
};

static __always_inline __u8 tsval_byte(const struct tsval_walk *walk, __u32 pos)
{
	return walk->bytes[pos & 63];
}

/* One option; 1 ends the walk. Of two timestamps the last one counts, as in the kernel. */
static long tsval_step(__u32 index, void *context)
{
	struct tsval_walk *walk = context;
	__u32 pos = walk->pos;
	__u8 kind = tsval_byte(walk, pos);
	__u8 len = tsval_byte(walk, pos + 1);

	if (pos >= walk->len || kind == TSVAL_KIND_END)
		return 1;
	if (kind == TSVAL_KIND_NOP) {
		walk->pos = pos + 1;
		return 0;
	}
	if (len < 2 || pos + len > walk->len)
		return 1;
	if (kind == TSVAL_KIND_TIMESTAMPS && len == TSVAL_LEN_TIMESTAMPS) {
		walk->tsval = (__u32)tsval_byte(walk, pos + 2) << 24 |
			      (__u32)tsval_byte(walk, pos + 3) << 16 |
			      (__u32)tsval_byte(walk, pos + 4) << 8 | tsval_byte(walk, pos + 5);
		walk->is_found = true;
	}
	walk->pos = pos + len;
	return 0;
}

static __always_inline bool tsval_find(struct xdp_md *ctx, const struct segment *segment,
				       __u32 *tsval)
{
	struct tsval_walk walk = {0};
	__u32 len = segment->header_len - TCP_MIN_HEADER;

	if (len == 0 || len > TSVAL_MAX_OPTIONS)
		return false;
	if (bpf_xdp_load_bytes(ctx, segment->l4_offset + TCP_MIN_HEADER, walk.bytes, len))
		return false;
	walk.len = len;
	bpf_loop(TSVAL_MAX_OPTIONS, tsval_step, &walk, 0);
	*tsval = walk.tsval;
	return walk.is_found;
}

#endif
