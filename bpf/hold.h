/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Holding, step by step: a mirror of the frame, the flow that a cookie begins, the flow's count, what a connecting socket
 * gets of it; then the packet stops here.
 */
#ifndef NOLISTEN_BPF_HOLD_H
#define NOLISTEN_BPF_HOLD_H

#include "back_turn.h"
#include "clock.h"
#include "flow.h"
#include "mirror.h"
#include "used.h"

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
static __always_inline void begin_flow(const struct facts *facts, struct nol_record *record,
				       struct hold *hold)
{
	const struct nol_flow_key *key = &facts->key;
	const struct nol_flow flow = {
		.state = NOL_FLOW_SYN_RECEIVED,
		.held = 1,
		.created_ns = record->held_ns,
		.method = NOL_METHOD_XDP,
		.cookie = used_mark_by(facts, &hold->terms),
	};
	int err = flow_add(key, &flow);

	if (!err)
		record->held = 1;
	else if (err != -EEXIST)
		nol_overflow_ns = record->held_ns;
	if (err != -EEXIST)
		return;
	/*
	 * Another CPU was faster with another packet of the same flow, whose record may yet be behind this one: user space
	 * begins with whichever cookie it reads first.
	 */
	hold->flow = flow_find(key);
	hold->reason = NOL_HOLD_FLOW;
}

/* False: its flow went to the kernel meanwhile. */
static __always_inline bool count_in_flow(struct hold *hold, struct nol_record *record)
{
	return !hold->flow || flow_hold(hold->flow, &record->held);
}

/* The remote's ACK may go on, as what a connecting socket waits for. */
static __always_inline int turn_for_socket(struct xdp_md *ctx, const struct facts *facts,
					   const struct hold *hold, struct nol_record *record)
{
	if (!nol_connects_back || !hold->flow || !back_turn(ctx, facts))
		return XDP_DROP;
	record->is_turned = 1;
	return XDP_PASS;
}

/* While there is no loader, or the next one has not settled yet, only handshakes by cookies go on. */
static __always_inline bool has_taker(const struct hold *hold, enum nol_presence presence)
{
	return presence == NOL_PRESENT || hold->reason == NOL_HOLD_COOKIE ||
	       hold->reason == NOL_HOLD_FLOW;
}

static __always_inline int drop_away(struct xdp_md *ctx)
{
	count(lost_away);
	capture(ctx, DROPPED, lost_away);
	return XDP_DROP;
}

/*
 * The record is reserved and filled before the flow's word is touched, so that whoever sees `held` finds as
 * many records in the ring. A packet that cannot be held is dropped: the remote sends it again.
 */
static __always_inline int hold_packet(struct xdp_md *ctx, const struct facts *facts,
				       struct hold *hold, const struct nol_config *config)
{
	const enum nol_presence presence = presence_of(config, clock_coarse_ns());
	struct mirrored mirrored;
	int verdict;

	if (!has_taker(hold, presence))
		return drop_away(ctx);
	hold->is_away = presence == NOL_AWAY;
	verdict = mirror(ctx, facts, hold, config, &mirrored);
	if (verdict != XDP_ABORTED)
		return verdict;
	if (hold->reason == NOL_HOLD_COOKIE)
		begin_flow(facts, mirrored.record, hold);
	if (count_in_flow(hold, mirrored.record)) {
		count_held(hold->reason);
		verdict = turn_for_socket(ctx, facts, hold, mirrored.record);
		bpf_ringbuf_submit(mirrored.record, mirrored.flags);
	} else {
		count(ingress_handed_off);
		capture(ctx, PASSED, ingress_handed_off);
		verdict = XDP_PASS;
		bpf_ringbuf_discard(mirrored.record, mirrored.flags);
	}
	wake_if_missed(&mirrored.ring, config, mirrored.flags);
	return verdict;
}

#endif
