/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is asked for, and whether a packet or a socket is of it. */
#ifndef NOLISTEN_BPF_TRACE_WANT_H
#define NOLISTEN_BPF_TRACE_WANT_H

#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

#include <abi/trace.h>

#include "trace_types.h"

/* A tracepoint's argument, as the kernel's type of it. */
#define ARGUMENT(ctx, index, type) ((type)(ctx)[index])

#define TRACE_MAP_TYPE_LRU_HASH 9 /* of enum bpf_map_type, which a trimmed vmlinux.h may lack */

/* What is asked for; constant once loaded. 0 and false: any. */
const volatile __u32 trace_netns_inum = 0;
const volatile __u32 trace_ifindex = 0;
const volatile __u16 trace_port = 0;
const volatile bool trace_has_remote = false;
const volatile __u8 trace_remote[16] = {};
const volatile __u32 trace_replay_tag = 0; /* 0: there is no loader, or it replays nothing */

struct nol_trace_counters trace_counters;

static __always_inline void map_ipv4(__u8 out[16], __u32 addr)
{
	__builtin_memset(out, 0, 10);
	out[10] = out[11] = 0xff;
	__builtin_memcpy(out + 12, &addr, 4);
}

static __always_inline bool is_remote_wanted(const __u8 remote[16])
{
	if (!trace_has_remote)
		return true;
	for (int i = 0; i < 16; i++)
		if (remote[i] != trace_remote[i])
			return false;
	return true;
}

static __always_inline bool is_wanted(const struct nol_flow_key *key)
{
	if (trace_port && key->local_port != trace_port && key->remote_port != trace_port)
		return false;
	return is_remote_wanted(key->remote_addr);
}

static __always_inline bool is_our_namespace(const struct net___trace *net)
{
	return net->ns.inum == trace_netns_inum;
}

static __always_inline bool is_same_key(const struct nol_flow_key *a, const struct nol_flow_key *b)
{
	for (int i = 0; i < 16; i++)
		if (a->local_addr[i] != b->local_addr[i] || a->remote_addr[i] != b->remote_addr[i])
			return false;
	return a->local_port == b->local_port && a->remote_port == b->remote_port;
}

#endif
