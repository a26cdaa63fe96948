/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The maps of the lease guard, and its options that are constant once loaded. */
#ifndef NOLISTEN_BPF_LEASE_MAPS_H
#define NOLISTEN_BPF_LEASE_MAPS_H

#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

#include <abi/guard.h>

#include "leased.h"
#include "net.h"

const volatile bool nol_has_remotes = false; /* only remotes of nol_remotes are guarded */
const volatile bool nol_has_list = false; /* NOL_GUARD_PORTS */
const volatile bool nol_guards_nat = false; /* flows that conntrack has translated as well */
const volatile bool nol_has_conntrack = false; /* it can say whose a guarded port's flow is */

/*
 * Local ports that may be guarded, so that most packets need no look into the table: bit p % 64 of word p / 64. A lease sets
 * its bit in the half whose turn it is, with each segment; halves take turns once per expiry, and are empty then. A list
 * of ports is in the first half.
 */
__u64 nol_guard_ports[2][65536 / 64];

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, struct nol_prefix_key);
	__type(value, __u8);
} nol_remotes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct nol_guard);
} nol_guard SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct nol_guard_stats);
} nol_guard_stats SEC(".maps");

/* Never NULL: the verifier cannot know that entry 0 is there. */
static __always_inline const struct nol_guard *find_guard(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&nol_guard, &zero);
}

static __always_inline struct nol_guard_stats *find_guard_stats(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&nol_guard_stats, &zero);
}

#define count(name)                                              \
	({                                                       \
		struct nol_guard_stats *_s = find_guard_stats(); \
                                                                 \
		if (_s)                                          \
			_s->name++;                              \
	})

/* now_ns: the coarse clock, which may be behind the heartbeat. */
static __always_inline bool is_guard_alive(const struct nol_guard *guard, __u64 now_ns)
{
	return (__s64)(now_ns - guard->heartbeat_ns) < (__s64)NOL_HEARTBEAT_STALE_NS;
}

#endif
