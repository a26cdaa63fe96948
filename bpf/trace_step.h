/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which steps are told, and how they get to user space. */
#ifndef NOLISTEN_BPF_TRACE_STEP_H
#define NOLISTEN_BPF_TRACE_STEP_H

#include "trace_want.h"

#define TRACE_SYN 0x02
#define TRACE_HANDSHAKE_FLAGS 0x07 /* SYN, FIN and RST */

const volatile __u32 trace_plain_max =
	16; /* segments without SYN, FIN or RST that are told, a connection */
const volatile bool trace_has_flows = false; /* nol_flows is that of a running loader */

/* Replaced by the loader's map, if there is a loader. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, struct nol_flow_key);
	__type(value, struct nol_flow);
} nol_flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 512 * 1024);
} nol_steps SEC(".maps");

/* Plain segments of each connection since its last SYN. */
struct {
	__uint(type, TRACE_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct nol_flow_key);
	__type(value, __u32);
} nol_plain SEC(".maps");

/* The packet that this CPU has in hand: a copy or a late drop is put down to it. */
struct trace_hand {
	struct nol_step step;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct trace_hand);
} nol_hand SEC(".maps");

static __always_inline struct trace_hand *find_hand(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&nol_hand, &zero);
}

/* Counts a plain segment of the connection; false if it is one too many to be told. */
static __always_inline bool count_plain(struct nol_step *step)
{
	__u32 *count = bpf_map_lookup_elem(&nol_plain, &step->key), one = 1;

	if (step->flags & TRACE_SYN) {
		bpf_map_delete_elem(&nol_plain, &step->key);
		return true;
	}
	if (step->flags & TRACE_HANDSHAKE_FLAGS) {
		step->left_out = count && *count > trace_plain_max ? *count - trace_plain_max : 0;
		return true;
	}
	if (!count) {
		bpf_map_update_elem(&nol_plain, &step->key, &one, 0);
		return true;
	}
	return __sync_fetch_and_add(count, 1) < trace_plain_max;
}

static __always_inline enum nol_flow_state find_flow_state(const struct nol_flow_key *key)
{
	const struct nol_flow *flow;

	if (!trace_has_flows)
		return NOL_FLOW_NONE;
	flow = bpf_map_lookup_elem(&nol_flows, key);
	return flow ? flow->state : NOL_FLOW_NONE;
}

static __always_inline void tell(struct nol_step *step)
{
	struct nol_step *slot = bpf_ringbuf_reserve(&nol_steps, sizeof(*slot), 0);

	if (!slot) {
		__sync_fetch_and_add(&trace_counters.lost, 1);
		return;
	}
	step->flow_state = find_flow_state(&step->key);
	/* After the reservation, so that the order in the ring is that of the times. */
	step->time_ns = bpf_ktime_get_ns();
	*slot = *step;
	bpf_ringbuf_submit(slot, 0);
}

#endif
