/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Ingress of the lease guard: a guarded segment that no kernel socket owns ends here, behind the packet sockets, which
 * have their copy, and in front of conntrack, raw IP sockets and TCP.
 */
#ifndef NOLISTEN_BPF_LEASE_IN_H
#define NOLISTEN_BPF_LEASE_IN_H

#include "lease.h"
#include "lease_out.h"
#include "lease_packet.h"
#include "nat.h"

/* Would the kernel deliver it to itself? A router's packets to others have the same ports. */
static __always_inline bool is_delivered_here(struct __sk_buff *skb, const struct facts *facts)
{
	struct bpf_fib_lookup lookup = {
		.family = facts->is_ipv4 ? AF_INET : AF_INET6,
		.l4_protocol = IPPROTO_TCP,
		.sport = bpf_htons(facts->key.remote_port),
		.dport = bpf_htons(facts->key.local_port),
		.ifindex = skb->ifindex,
	};
	long result;

	if (facts->is_ipv4) {
		__builtin_memcpy(&lookup.ipv4_src, facts->key.remote_addr + 12, 4);
		__builtin_memcpy(&lookup.ipv4_dst, facts->key.local_addr + 12, 4);
	} else {
		__builtin_memcpy(lookup.ipv6_src, facts->key.remote_addr, 16);
		__builtin_memcpy(lookup.ipv6_dst, facts->key.local_addr, 16);
	}
	result = bpf_fib_lookup(skb, &lookup, sizeof(lookup), 0);
	return result == BPF_FIB_LKUP_RET_NOT_FWDED || result == BPF_FIB_LKUP_RET_FWD_DISABLED;
}

/* A port alone does not say whose: the connection of a container that this host masquerades for may have it as well. */
static __always_inline bool is_of_others(struct __sk_buff *skb, const struct facts *facts,
					 const struct nol_lease *lease)
{
	if (!lease && !is_delivered_here(skb, facts))
		return true;
	return nol_has_conntrack && nat_has_other_owner(skb, facts);
}

static __always_inline bool goes_on(const struct nol_guard *guard, const struct nol_lease *lease)
{
	if (guard->raw != NOL_RAW_AUTO)
		return guard->raw == NOL_RAW_PASS;
	return guard->has_raw_sockets || (lease && lease->sender == NOL_SENDER_RAW_TCP);
}

static __always_inline void renew_in(const struct nol_guard *guard, const struct facts *facts,
				     struct nol_lease *lease, __u64 now_ns)
{
	__sync_fetch_and_add(&lease->in, 1);
	lease->in_ns = now_ns;
	mark_port(guard, facts->key.local_port);
}

static __always_inline int end_segment(const struct nol_guard *guard, struct nol_lease *lease)
{
	if (goes_on(guard, lease)) {
		count(in_passed);
		return TC_ACT_UNSPEC;
	}
	if (lease)
		__sync_fetch_and_add(&lease->ended, 1);
	count(in_ended);
	return TC_ACT_SHOT;
}

static __always_inline int guard_segment_in(struct __sk_buff *skb, const struct facts *facts)
{
	const __u64 now_ns = bpf_ktime_get_coarse_ns();
	const struct nol_guard *guard = find_guard();
	struct nol_lease *lease;

	if (!guard || !is_guard_alive(guard, now_ns)) {
		count(in_stale);
		return TC_ACT_UNSPEC;
	}
	if (!is_guarded(guard, facts, now_ns, &lease)) {
		count(in_not_ours);
		return TC_ACT_UNSPEC;
	}
	if (is_owned(skb, facts)) {
		count(in_owned);
		return TC_ACT_UNSPEC;
	}
	if (is_of_others(skb, facts, lease)) {
		count(in_not_ours);
		return TC_ACT_UNSPEC;
	}
	if (lease)
		renew_in(guard, facts, lease, now_ns);
	return end_segment(guard, lease);
}

/* All that most packets pay for. */
static __always_inline bool may_be_guarded_in(struct __sk_buff *skb)
{
	struct packet packet;

	return read_ingress(skb, &packet) == PARSE_TCP &&
	       may_be_guarded(bpf_ntohs(packet.tcp->dest));
}

/* A function of its own, which parses again, so that other packets pay for none of it. */
static __noinline int guard_in(struct __sk_buff *skb)
{
	struct packet packet;
	struct facts facts;

	if (skb->pkt_type != PACKET_HOST || is_of_other_vlan(skb) ||
	    read_ingress(skb, &packet) != PARSE_TCP)
		return TC_ACT_UNSPEC;
	facts_read(&packet, &facts);
	return guard_segment_in(skb, &facts);
}

#endif
