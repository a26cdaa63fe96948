/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What user space sees: the maps and the port bitmap. */
#ifndef NOLISTEN_BPF_MAPS_H
#define NOLISTEN_BPF_MAPS_H

#include "vmlinux.h"

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include <abi/abi.h>

#include "constants.h"

/* Port p is answered: bit p % 64 of word p / 64. */
__u64 nol_ports[65536 / 64];

/* See nol_flow_slot(). */
__u32 nol_flow_counts[1 << NOL_FLOW_SLOT_BITS];

/*
 * Single addresses of nol_answered, each at its nol_address_place() if that was free: most packets are to
 * one of these and need no look into the trie. The last word is zero where there is none. Written by user space only.
 */
__u64 nol_addresses[1 << NOL_ADDRESS_PLACE_BITS][2];

/* RSTs and challenge ACKs: the engines take from it too. */
struct nol_limit nol_resets;

/* Strays that are held. */
struct nol_limit nol_strays;

/* When the flow table had no room for a cookie's flow: strays may then be of a flow that only user space knows. */
__u64 nol_overflow_ns;

/* Method accept: XDP is generic, see ingress_link.h. Written by user space only. */
__u32 nol_is_generic;

/* Method accept: where each worker listens; port 0: it does not. Written by user space only, the port last. */
struct nol_parent nol_parents[NOL_WORKERS_MAX];

/* Of port p not every answered address is answered, but what nol_endpoints has: as nol_ports. Written by user space only. */
__u64 nol_narrowed[65536 / 64];

/* nol_endpoints has rows. Written by user space only. */
__u32 nol_has_endpoints;

/* Some of them wait for a listener. Written by user space only. */
__u32 nol_has_waiting;

/* What of a remote address is its source, IPv4 and IPv6; nol_full_sources has had rows. Written by user space only. */
__u64 nol_source_masks[2][2];
__u32 nol_has_full_sources;

/* max_entries of nol_flows and nol_events are set at load. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, struct nol_flow_key);
	__type(value, struct nol_flow);
} nol_flows SEC(".maps");

/* Method connect only; max_entries as of nol_flows. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, struct nol_flow_key);
	__type(value, struct nol_back);
} nol_backs SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} nol_events SEC(".maps");

#define CLOSED_RING (512 * 1024)

/* See closed.h. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, CLOSED_RING);
} nol_closed SEC(".maps");

/* Words that nol_closed had no room for. */
__u32 nol_closed_lost;

/* The rings by worker, the first is nol_events. max_entries and entries are set at load; unused with one worker. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(
		values, struct {
			__uint(type, BPF_MAP_TYPE_RINGBUF);
			__uint(max_entries, 256 * 1024);
		});
} nol_rings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct nol_stats);
} nol_stats SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct nol_config);
} nol_config SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct nol_cookie);
} nol_cookie SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct nol_clock);
} nol_clock SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, struct nol_prefix_key);
	__type(value, __u8);
} nol_answered SEC(".maps");

/* See struct nol_endpoint. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, NOL_ENDPOINTS_MAX);
	__type(key, struct nol_endpoint_key);
	__type(value, struct nol_endpoint);
} nol_endpoints SEC(".maps");

/* See source_full.h. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, NOL_FULL_SOURCES_MAX);
	__type(key, struct nol_source);
	__type(value, __u8);
} nol_full_sources SEC(".maps");

/* See used.h. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, NOL_USED_PLACES);
	__type(key, __u32);
	__type(value, __u64);
} nol_used SEC(".maps");

/* Asked if nol_cookie says so. Twice as many as user space keeps: the new rows come before the old ones go. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 131072);
	__type(key, struct nol_prefix_key);
	__type(value, struct nol_advertised);
} nol_routes SEC(".maps");

/* Never NULL: the verifier cannot know that entry 0 is there. */
static __always_inline struct nol_config *find_config(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&nol_config, &zero);
}

/*
 * False once the owner has stopped its heartbeat, and with --pin once nobody has come for so long. now_ns: the coarse
 * clock, which may be behind the heartbeat.
 */
static __always_inline bool is_owner_alive(const struct nol_config *config, __u64 now_ns)
{
	__s64 age_ns = now_ns - config->heartbeat_ns;

	return age_ns < (__s64)config->keep_ns;
}

/* Who is there, of an owner that is alive in this sense: what it says of itself, unless it has been killed. */
static __always_inline enum nol_presence presence_of(const struct nol_config *config, __u64 now_ns)
{
	__s64 age_ns = now_ns - config->heartbeat_ns;

	return age_ns < (__s64)NOL_HEARTBEAT_STALE_NS ? config->presence : NOL_AWAY;
}

static __always_inline bool is_port_answered(__u16 port)
{
	return nol_ports[port >> 6] >> (port & 63) & 1;
}

/* addr: of a key, whose alignment it has. */
static __always_inline bool is_address_answered(const __u8 addr[16])
{
	const __u64 *known = nol_addresses[nol_address_place(addr)], *words = (const __u64 *)addr;
	struct nol_prefix_key key = {.bits = 128};

	if (known[1] && known[1] == words[1] && known[0] == words[0])
		return true;
	__builtin_memcpy(key.addr, addr, sizeof(key.addr));
	return bpf_map_lookup_elem(&nol_answered, &key);
}

static __always_inline bool is_port_narrowed(__u16 port)
{
	return !nol_lacks_endpoints && nol_narrowed[port >> 6] >> (port & 63) & 1;
}

/* addr: as above. NULL: nobody has said anything of it. */
static __always_inline const struct nol_endpoint *endpoint_find(const __u8 addr[16], __u16 port)
{
	struct nol_endpoint_key key = {.bits = NOL_ENDPOINT_PORT_BITS + 128, .port = port};

	__builtin_memcpy(key.addr, addr, sizeof(key.addr));
	return bpf_map_lookup_elem(&nol_endpoints, &key);
}

/* IPv4 in a key. On the wire, as IPv6, such an address is nobody's, and must not be taken for IPv4. */
static __always_inline bool is_mapped(const __be32 words[4])
{
	return !words[0] && !words[1] && words[2] == bpf_htonl(0xffff);
}

/* Of a port that is answered: at this address as well? */
static __always_inline bool is_local_answered(const struct nol_flow_key *key)
{
	const struct nol_endpoint *endpoint;

	if (!is_address_answered(key->local_addr))
		return false;
	if (!is_port_narrowed(key->local_port))
		return true;
	endpoint = endpoint_find(key->local_addr, key->local_port);
	return endpoint && !(endpoint->is_v6only && is_mapped((const __be32 *)key->local_addr));
}

#endif
