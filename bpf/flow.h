/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The flow table, and the one word in which state and held change together. */
#ifndef NOLISTEN_BPF_FLOW_H
#define NOLISTEN_BPF_FLOW_H

#include "maps.h"
#include "net.h"

_Static_assert(__builtin_offsetof(struct nol_flow, state) == 0, "state and held are one word");
_Static_assert(__builtin_offsetof(struct nol_flow, held) == 4, "state and held are one word");

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define FLOW_HELD_SHIFT 32
#define FLOW_STATE_SHIFT 0
#else
#define FLOW_HELD_SHIFT 0
#define FLOW_STATE_SHIFT 32
#endif

static __always_inline __u64 flow_word(enum nol_flow_state state, __u32 held)
{
	return (__u64)state << FLOW_STATE_SHIFT | (__u64)held << FLOW_HELD_SHIFT;
}

static __always_inline struct nol_flow *flow_find(const struct nol_flow_key *key)
{
	return bpf_map_lookup_elem(&nol_flows, key);
}

/* False: there is none, for certain and at the price of one load. */
static __always_inline bool flow_may_exist(const struct nol_flow_key *key)
{
	return nol_flow_counts[nol_flow_slot(key)];
}

/* 0, -EEXIST, or another error when there is no room. */
static __always_inline int flow_add(const struct nol_flow_key *key, const struct nol_flow *flow)
{
	__u32 *count = &nol_flow_counts[nol_flow_slot(key)];
	int err;

	__sync_fetch_and_add(count, 1);
	err = bpf_map_update_elem(&nol_flows, key, flow, BPF_NOEXIST);
	if (err)
		__sync_fetch_and_add(count, -1);
	return err;
}

static __always_inline void flow_remove(const struct nol_flow_key *key)
{
	if (!bpf_map_delete_elem(&nol_flows, key))
		__sync_fetch_and_add(&nol_flow_counts[nol_flow_slot(key)], -1);
}

/* Does the kernel own it, or did it until a moment ago? */
static __always_inline bool is_state_of_kernel(enum nol_flow_state state)
{
	return state == NOL_FLOW_HANDED_OFF || state == NOL_FLOW_CLOSED;
}

/* Count one more packet as held; false if the flow went to the kernel in the meantime. */
static __always_inline bool flow_hold(struct nol_flow *flow, __u32 *held)
{
	__u64 old = __sync_fetch_and_add((__u64 *)flow, 1ull << FLOW_HELD_SHIFT);

	*held = (__u32)(old >> FLOW_HELD_SHIFT) + 1;
	return !is_state_of_kernel((__u32)(old >> FLOW_STATE_SHIFT));
}

static __always_inline enum nol_flow_state flow_state(const struct nol_flow *flow)
{
	return *(const volatile __u32 *)&flow->state;
}

/* To state `to` if exactly *held packets were held; else -EAGAIN, and how many there were in *held. */
static __always_inline int flow_change(struct nol_flow *flow, enum nol_flow_state from,
				       enum nol_flow_state to, __u32 *held)
{
	__u64 expected = flow_word(from, *held);
	__u64 wanted = flow_word(to, *held);
	__u64 old = __sync_val_compare_and_swap((__u64 *)flow, expected, wanted);

	*held = (__u32)(old >> FLOW_HELD_SHIFT);
	return old == expected ? 0 : -EAGAIN;
}

#endif
