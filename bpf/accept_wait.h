/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Method accept: an endpoint that is answered before its listener is there, or without a loader (--pin). What completes a handshake goes to user space, which puts
 * it back once there is one: until then nobody says a word, and what else comes is sent again.
 */
#ifndef NOLISTEN_BPF_ACCEPT_WAIT_H
#define NOLISTEN_BPF_ACCEPT_WAIT_H

#include "facts.h"
#include "stats.h"
#include "verifier.h"

#define AWAITED_MAX 2048 /* bytes of a frame; what is longer comes again, cut at the MSS */

#define AWAITED_SHORT 128 /* a bare ACK, which does not come again: it may fill the ring */
#define AWAITED_MIDDLE 512

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

/* No loader is there: the kernel's children would be queued at a listener that goes, or has gone. */
static __always_inline bool is_next_awaited(__u64 now_ns)
{
	const struct nol_config *config = nol_keeps ? find_config() : NULL;

	return config && presence_of(config, now_ns) == NOL_AWAY;
}

static __always_inline void describe(const struct facts *facts, struct nol_record *record,
				     __u32 len)
{
	*record = (struct nol_record){
		.held_ns = bpf_ktime_get_ns(),
		.frame_len = len,
		.snap_len = len,
		.l3_offset = facts->l3_offset,
		.l4_offset = facts->l4_offset,
		.reason = NOL_HOLD_COOKIE,
	};
}

/* In a record with room for so much; false: there is none. */
#define hold_in(skb, facts, len, room)                                                           \
	({                                                                                       \
		struct awaited *_to =                                                            \
			bpf_ringbuf_reserve(&nol_events, sizeof(struct nol_record) + (room), 0); \
		bool _is_held = false;                                                           \
                                                                                                 \
		if (_to) {                                                                       \
			describe(facts, &_to->record, len);                                      \
			_is_held =                                                               \
				!bpf_skb_load_bytes(skb, 0, _to->frame, bounded(len, 40, room)); \
		}                                                                                \
		if (_is_held)                                                                    \
			bpf_ringbuf_submit(_to, 0);                                              \
		else if (_to)                                                                    \
			bpf_ringbuf_discard(_to, 0);                                             \
		_is_held;                                                                        \
	})

/* Data has half of the ring: its connection is there already, or it brings the cookie when it comes again. */
static __always_inline bool has_room_for_data(void)
{
	return bpf_ringbuf_query(&nol_events, BPF_RB_AVAIL_DATA) < nol_ring_quarter * 2;
}

/* The segment is dropped, whether there was room for it or not. */
static __noinline int hold_awaited(struct __sk_buff *skb, const struct facts *facts)
{
	const __u32 len = skb->len;
	bool is_held = false;

	if (len > AWAITED_MAX)
		return TC_ACT_SHOT;
	if (len <= AWAITED_SHORT)
		is_held = hold_in(skb, facts, len, AWAITED_SHORT);
	else if (len <= AWAITED_MIDDLE && has_room_for_data())
		is_held = hold_in(skb, facts, len, AWAITED_MIDDLE);
	else if (has_room_for_data())
		is_held = hold_in(skb, facts, len, AWAITED_MAX);
	if (is_held)
		count(held_cookie);
	else
		count(lost_ring_full);
	return TC_ACT_SHOT;
}

#endif
