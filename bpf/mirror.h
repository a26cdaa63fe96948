/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A copy of the whole frame for user space, in a record of its flow's ring. */
#ifndef NOLISTEN_BPF_MIRROR_H
#define NOLISTEN_BPF_MIRROR_H

#include "classify.h"
#include "ring.h"
#include "stats.h"
#include "verifier.h"

#define MIRROR_COPY_MAX 65535
#define MIRROR_REST_MAX (NOL_RECORD_SNAP_MAX - MIRROR_COPY_MAX)
#define MIRROR_FRAME_MIN 40 /* the headers of IP and TCP have been seen */

/* A record that is neither submitted nor discarded yet. */
struct mirrored {
	struct ring ring;
	struct nol_record *record;
	__u64 flags; /* of its submission */
};

/* The kernel copies up to 65535 bytes at a time. */
static __always_inline bool copy_frame(struct xdp_md *ctx, __u8 *to, __u32 frame_len)
{
	if (frame_len <= MIRROR_COPY_MAX)
		return !bpf_xdp_load_bytes(ctx, 0, to, frame_len);
	return !bpf_xdp_load_bytes(ctx, 0, to, MIRROR_COPY_MAX) &&
	       !bpf_xdp_load_bytes(ctx, MIRROR_COPY_MAX, to + MIRROR_COPY_MAX,
				   bounded(frame_len - MIRROR_COPY_MAX, 1, MIRROR_REST_MAX));
}

static __always_inline bool fill_record(struct xdp_md *ctx, const struct facts *facts,
					const struct hold *hold, struct nol_record *record,
					__u32 frame_len)
{
	record->held_ns = bpf_ktime_get_ns();
	record->frame_len = frame_len;
	record->snap_len = frame_len;
	record->l3_offset = facts->l3_offset;
	record->reason = hold->reason;
	record->held = 0;
	record->time_wait_snd_nxt = hold->time_wait_snd_nxt;
	record->l4_offset = facts->l4_offset;
	record->is_turned = 0;
	record->terms = hold->terms;
	return copy_frame(ctx, (__u8 *)(record + 1), frame_len);
}

/* XDP_ABORTED: out->record is there. Otherwise there is none, which has been counted, and this is the verdict. */
static __always_inline int mirror(struct xdp_md *ctx, const struct facts *facts,
				  const struct hold *hold, const struct nol_config *config,
				  struct mirrored *out)
{
	__u64 frame_len = bpf_xdp_get_buff_len(ctx);

	out->ring = ring_of(&facts->key);
	out->flags = wakeup_flags(&out->ring, config);
	if (frame_len > NOL_RECORD_SNAP_MAX) {
		count(lost_too_long);
		return XDP_DROP;
	}
	frame_len = bounded(frame_len, MIRROR_FRAME_MIN, NOL_RECORD_SNAP_MAX);
	out->record = reserve_record(&out->ring, frame_len);
	if (!out->record) {
		count(lost_ring_full);
		return XDP_DROP;
	}
	if (fill_record(ctx, facts, hold, out->record, frame_len))
		return XDP_ABORTED;
	count(ingress_not_tcp);
	bpf_ringbuf_discard(out->record, out->flags);
	return XDP_PASS;
}

#endif
