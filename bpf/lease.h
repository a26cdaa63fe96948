/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who is guarded: a list of ports, or whoever has a lease. A segment that a raw or packet socket sends leases its flow (or its
 * local address and port); each segment of the flow renews that, and what has been idle for longer than the expiry
 * counts no more. The kernel makes room for a new lease by the oldest that nobody has used.
 */
#ifndef NOLISTEN_BPF_LEASE_H
#define NOLISTEN_BPF_LEASE_H

#include "facts.h"
#include "lease_maps.h"

/* The mask is for the verifier (Linux 6.1), which has forgotten how long a port is. */
static __always_inline __u64 word_of(__u16 port)
{
	__u64 word = port >> 6;

	asm volatile("%0 &= %1" : "+r"(word) : "i"(65536 / 64 - 1));
	return word;
}

static __always_inline bool may_be_guarded(__u16 port)
{
	const __u64 word = word_of(port);

	return (nol_guard_ports[0][word] | nol_guard_ports[1][word]) >> (port & 63) & 1;
}

static __always_inline void mark_port(const struct nol_guard *guard, __u16 port)
{
	__u64 *word = &nol_guard_ports[guard->turn & 1][word_of(port)];
	const __u64 bit = 1ull << (port & 63);

	if (!(*word & bit))
		__sync_fetch_and_or(word, bit);
}

/* -r: with every remote if none was named. */
static __always_inline bool is_remote_guarded(const struct nol_flow_key *key)
{
	struct nol_prefix_key prefix = {.bits = 128};

	if (!nol_has_remotes)
		return true;
	__builtin_memcpy(prefix.addr, key->remote_addr, sizeof(prefix.addr));
	return bpf_map_lookup_elem(&nol_remotes, &prefix);
}

static __always_inline void lease_key(const struct nol_guard *guard, const struct facts *facts,
				      struct nol_flow_key *key)
{
	*key = facts->key;
	if (guard->mode != NOL_GUARD_LEASED_PORTS)
		return;
	__builtin_memset(key->remote_addr, 0, sizeof(key->remote_addr));
	key->remote_port = 0;
}

/* NULL: there is none, or it has expired. */
static __always_inline struct nol_lease *lease_find(const struct nol_guard *guard,
						    const struct facts *facts, __u64 now_ns)
{
	struct nol_flow_key key;
	struct nol_lease *lease;

	lease_key(guard, facts, &key);
	lease = bpf_map_lookup_elem(&nol_leases, &key);
	return lease && is_lease_current(lease, guard->expiry_ns, now_ns) ? lease : NULL;
}

static __always_inline void lease_make(const struct nol_guard *guard, const struct facts *facts,
				       enum nol_guard_sender sender, __u64 now_ns)
{
	struct nol_lease lease = {
		.sender = sender, .out = 1, .leased_ns = now_ns, .out_ns = now_ns};
	struct nol_flow_key key;

	lease_key(guard, facts, &key);
	if (!bpf_map_update_elem(&nol_leases, &key, &lease, BPF_NOEXIST))
		count(leased);
	else if (!bpf_map_update_elem(&nol_leases, &key, &lease, BPF_EXIST))
		count(leased_again);
	else
		count(lease_failed);
}

static __always_inline void lease_renew(struct nol_lease *lease, enum nol_guard_sender sender,
					__u64 now_ns)
{
	__sync_fetch_and_add(&lease->out, 1);
	lease->sender = sender;
	lease->out_ns = now_ns;
}

/* What is guarded by being on the list has no lease. */
static __always_inline void lease_take(const struct nol_guard *guard, const struct facts *facts,
				       enum nol_guard_sender sender, __u64 now_ns)
{
	struct nol_lease *lease;

	count(out);
	if (guard->mode == NOL_GUARD_PORTS)
		return;
	lease = lease_find(guard, facts, now_ns);
	if (lease)
		lease_renew(lease, sender, now_ns);
	else
		lease_make(guard, facts, sender, now_ns);
	mark_port(guard, facts->key.local_port);
}

/* Is the flow guarded? *lease: by this, NULL: since its port is on the list. */
static __always_inline bool is_guarded(const struct nol_guard *guard, const struct facts *facts,
				       __u64 now_ns, struct nol_lease **lease)
{
	*lease = NULL;
	if (!may_be_guarded(facts->key.local_port) || !is_remote_guarded(&facts->key))
		return false;
	if (guard->mode == NOL_GUARD_PORTS)
		return true;
	*lease = lease_find(guard, facts, now_ns);
	return *lease;
}

#endif
