/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The table of leases, which the lease guard shares with the programs of a loader that has one (--guard=auto). */
#ifndef NOLISTEN_BPF_LEASED_H
#define NOLISTEN_BPF_LEASED_H

#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

#include <abi/guard.h>

#include "constants.h"

/* max_entries is set at load. The one that was idle longest makes room for another. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1);
	__type(key, struct nol_flow_key);
	__type(value, struct nol_lease);
} nol_leases SEC(".maps");

static __always_inline bool is_lease_current(const struct nol_lease *lease, __u64 expiry_ns,
					     __u64 now_ns)
{
	const __u64 last_ns = lease->out_ns > lease->in_ns ? lease->out_ns : lease->in_ns;

	return (__s64)(now_ns - last_ns) < (__s64)expiry_ns;
}

/* Of the loader's programs. */
static __always_inline bool is_leased(const struct nol_flow_key *key)
{
	const struct nol_lease *lease;

	if (!nol_lease_expiry_ns)
		return false;
	lease = bpf_map_lookup_elem(&nol_leases, key);
	return lease && is_lease_current(lease, nol_lease_expiry_ns, bpf_ktime_get_coarse_ns());
}

#endif
