/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Holding: the whole frame goes into the ring, and the packet stops here. */
#ifndef NOLISTEN_BPF_MIRROR_H
#define NOLISTEN_BPF_MIRROR_H

#include "back_turn.h"
#include "cookie.h"
#include "facts.h"
#include "flow.h"
#include "ring.h"
#include "stats.h"
#include "verifier.h"

#define MIRROR_COPY_MAX 65535
#define MIRROR_REST_MAX (NOL_RECORD_SNAP_MAX - MIRROR_COPY_MAX)
#define MIRROR_FRAME_MIN 40 /* the headers of IP and TCP have been seen */

/* What is to be held, and why. */
struct hold {
	enum nol_hold_reason reason;
	struct nol_flow *flow; /* NOL_HOLD_FLOW, else NULL */
	__u32 time_wait_snd_nxt;
	bool has_entry; /* left of an earlier connection: user space replaces it */
	struct nol_terms terms; /* NOL_HOLD_COOKIE */
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

static __always_inline void count_held(enum nol_hold_reason reason)
{
	switch (reason) {
	case NOL_HOLD_FLOW:
		count(held_flow);
		break;
	case NOL_HOLD_SYN:
		count(held_syn);
		break;
	case NOL_HOLD_TIME_WAIT:
		count(held_time_wait);
		break;
	case NOL_HOLD_STRAY:
		count(held_stray);
		break;
	case NOL_HOLD_COOKIE:
		count(held_cookie);
		break;
	}
}

/* A cookie's flow begins, with this packet held. Without room user space makes some, and the entry as well. */
static __always_inline void begin_flow(const struct nol_flow_key *key, struct nol_record *record,
				       struct hold *hold)
{
	const struct nol_flow flow = {
		.state = NOL_FLOW_SYN_RECEIVED,
		.held = 1,
		.created_ns = record->held_ns,
		.method = NOL_METHOD_XDP,
	};
	int err = flow_add(key, &flow);

	if (!err)
		record->held = 1;
	if (err != -EEXIST)
		return;
	/* Another CPU was faster with another packet of the same flow. */
	hold->flow = flow_find(key);
	hold->reason = NOL_HOLD_FLOW;
	record->reason = NOL_HOLD_FLOW;
}

/*
 * The record is reserved and filled before the flow's word is touched, so that whoever sees `held` finds as
 * many records in the ring. A packet that cannot be held is dropped: the remote sends it again.
 */
static __always_inline int mirror(struct xdp_md *ctx, const struct facts *facts, struct hold *hold,
				  const struct nol_config *config)
{
	const struct ring ring = ring_of(&facts->key);
	__u64 frame_len = bpf_xdp_get_buff_len(ctx), flags = wakeup_flags(&ring, config);
	struct nol_record *record;
	int verdict = XDP_DROP;

	if (frame_len > NOL_RECORD_SNAP_MAX) {
		count(lost_too_long);
		return XDP_DROP;
	}
	frame_len = bounded(frame_len, MIRROR_FRAME_MIN, NOL_RECORD_SNAP_MAX);
	record = reserve_record(&ring, frame_len);
	if (!record) {
		count(lost_ring_full);
		return XDP_DROP;
	}
	if (!fill_record(ctx, facts, hold, record, frame_len)) {
		count(ingress_not_tcp);
		bpf_ringbuf_discard(record, flags);
		return XDP_PASS;
	}
	if (hold->reason == NOL_HOLD_COOKIE)
		begin_flow(&facts->key, record, hold);
	if (hold->flow && !flow_hold(hold->flow, &record->held)) {
		count(ingress_handed_off);
		verdict = XDP_PASS;
	}
	if (verdict == XDP_DROP) {
		count_held(hold->reason);
		if (nol_connects_back && hold->flow && back_turn(ctx, facts)) {
			record->is_turned = 1;
			verdict = XDP_PASS;
		}
		bpf_ringbuf_submit(record, flags);
	} else {
		bpf_ringbuf_discard(record, flags);
	}
	wake_if_missed(&ring, config, flags);
	return verdict;
}

#endif
