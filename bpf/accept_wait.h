/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Method accept: an endpoint that is answered before its listener is there. What completes a handshake goes to user space, which puts
 * it back once there is one: until then nobody says a word, and what else comes is sent again.
 */
#ifndef NOLISTEN_BPF_ACCEPT_WAIT_H
#define NOLISTEN_BPF_ACCEPT_WAIT_H

#include "facts.h"
#include "stats.h"
#include "verifier.h"

#define AWAITED_MAX 2048 /* bytes of a frame; what is longer comes again, cut at the MSS */

struct awaited {
	struct nol_record record;
	__u8 frame[AWAITED_MAX];
};

static __always_inline bool has_no_listener_yet(const struct facts *facts)
{
	const struct nol_endpoint *endpoint;

	if (nol_lacks_endpoints || !nol_has_waiting || !is_local_answered(&facts->key))
		return false;
	endpoint = endpoint_find(facts->key.local_addr, facts->key.local_port);
	return endpoint && endpoint->is_waiting && !endpoint->count;
}

/* The segment is dropped, whether there was room for it or not. */
static __noinline int hold_awaited(struct __sk_buff *skb, const struct facts *facts)
{
	struct awaited *awaited;
	__u32 len = skb->len;

	if (len > AWAITED_MAX)
		return TC_ACT_SHOT;
	awaited = bpf_ringbuf_reserve(&nol_events, sizeof(*awaited), 0);
	if (!awaited) {
		count(lost_ring_full);
		return TC_ACT_SHOT;
	}
	awaited->record = (struct nol_record){
		.held_ns = bpf_ktime_get_ns(),
		.frame_len = len,
		.snap_len = len,
		.l3_offset = facts->l3_offset,
		.l4_offset = facts->l4_offset,
		.reason = NOL_HOLD_COOKIE,
	};
	if (bpf_skb_load_bytes(skb, 0, awaited->frame, bounded(len, 40, AWAITED_MAX))) {
		bpf_ringbuf_discard(awaited, 0);
		return TC_ACT_SHOT;
	}
	count(held_cookie);
	bpf_ringbuf_submit(awaited, 0);
	return TC_ACT_SHOT;
}

#endif
