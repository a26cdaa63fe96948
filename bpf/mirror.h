/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A copy of the whole frame for user space, in a record of its flow's ring. */
#ifndef NOLISTEN_BPF_MIRROR_H
#define NOLISTEN_BPF_MIRROR_H

#include "capture.h"
#include "classify.h"
#include "ring.h"
#include "stats.h"
#include "verifier.h"

#define MIRROR_COPY_MAX 65535
#define MIRROR_REST_MAX (NOL_RECORD_SNAP_MAX - MIRROR_COPY_MAX)
#define MIRROR_FLIGHT_MAX 128 /* segments, several times an initial window */

/* A record that is neither submitted nor discarded yet. */
struct mirrored {
	struct ring ring;
	struct nol_record *record;
	__u64 flags; /* of its submission */
};

/* The kernel copies up to 65535 bytes at a time. */
static __always_inline bool copy_frame(struct xdp_md *ctx, __u8 *to, __u64 frame_len)
{
	if (frame_len <= MIRROR_COPY_MAX)
		return !bpf_xdp_load_bytes(ctx, 0, to, frame_len);
	return !bpf_xdp_load_bytes(ctx, 0, to, MIRROR_COPY_MAX) &&
	       !bpf_xdp_load_bytes(ctx, MIRROR_COPY_MAX, to + MIRROR_COPY_MAX,
				   bounded(frame_len - MIRROR_COPY_MAX, 1, MIRROR_REST_MAX));
}

static __always_inline bool fill_record(struct xdp_md *ctx, const struct facts *facts,
					const struct hold *hold, struct nol_record *record,
					__u64 frame_len)
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

/*
 * A handshake that is complete may fill the ring; all else, which anybody can send, a share of it: SYNs three quarters, strays
 * half. So does a flow of which more is held than a first flight has: somebody floods it, and it may be half-open; and every
 * flow while there is no loader, since its data is sent again and again.
 */
static __always_inline bool may_fill(const struct hold *hold)
{
	if (hold->reason == NOL_HOLD_FLOW)
		return !hold->is_away && hold->flow &&
		       *(volatile __u32 *)&hold->flow->held < MIRROR_FLIGHT_MAX;
	return hold->reason == NOL_HOLD_COOKIE;
}

static __always_inline bool is_of_syn(enum nol_hold_reason reason)
{
	return reason == NOL_HOLD_SYN || reason == NOL_HOLD_TIME_WAIT;
}

static __always_inline bool has_room(const struct ring *ring, const struct hold *hold)
{
	const __u64 share = is_of_syn(hold->reason) ? nol_ring_quarter * 3 : nol_ring_quarter * 2;

	return may_fill(hold) || !ring->map ||
	       bpf_ringbuf_query(ring->map, BPF_RB_AVAIL_DATA) < share;
}

static __always_inline void count_lost(struct xdp_md *ctx, enum nol_hold_reason reason)
{
	if (is_of_syn(reason)) {
		count(lost_syn);
		capture(ctx, DROPPED, lost_syn);
	} else if (reason == NOL_HOLD_STRAY) {
		count(lost_stray);
		capture(ctx, DROPPED, lost_stray);
	} else {
		count(lost_ring_full);
		capture(ctx, DROPPED, lost_ring_full);
	}
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
		capture(ctx, DROPPED, lost_too_long);
		return XDP_DROP;
	}
	out->record = has_room(&out->ring, hold) ? reserve_record(&out->ring, &frame_len) : NULL;
	if (!out->record) {
		count_lost(ctx, hold->reason);
		return XDP_DROP;
	}
	if (fill_record(ctx, facts, hold, out->record, frame_len))
		return XDP_ABORTED;
	count(ingress_not_tcp);
	bpf_ringbuf_discard(out->record, out->flags);
	return XDP_PASS;
}

#endif
