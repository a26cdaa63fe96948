/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Finds sockets that connect to themselves. connect() moves a socket to SYN_SENT in the process's own context, before
 * its port is chosen; it gets to ESTABLISHED in whatever context the packets are handled in. So the process is written
 * down at the first step, in storage that lives as long as the socket, and the ports are compared at the last.
 */
#include "vmlinux.h"

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include <abi/self.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define SELF_AF_INET6 10
#define SELF_ESTABLISHED 1
#define SELF_SYN_SENT 2
#define SELF_IPPROTO_TCP 6
#define SELF_MAP_SK_STORAGE 24
#define SELF_STORAGE_CREATE 1
#define SELF_EVENTS_SIZE 65536

/* The fields that are used; libbpf takes what is behind the three underscores off and finds them in the kernel's BTF. */
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct ns_common___self {
	unsigned int inum;
};

struct net___self {
	struct ns_common___self ns;
};

struct possible_net___self {
	struct net___self *net;
};

struct in6___self {
	union {
		__be32 u6_addr32[4];
	} in6_u;
};

struct sock_common___self {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num;
	unsigned short skc_family;
	struct possible_net___self skc_net;
	struct in6___self skc_v6_daddr;
	struct in6___self skc_v6_rcv_saddr;
};

struct sock___self {
	struct sock_common___self __sk_common;
	__u16 sk_protocol;
};

#pragma clang attribute pop

struct caller {
	__u32 pid;
	char comm[NOL_SELF_COMM_SIZE];
};

struct {
	__uint(type, SELF_MAP_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct caller);
} nol_self_caller SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, SELF_EVENTS_SIZE);
} nol_self_events SEC(".maps");

const volatile __u32 nol_self_netns; /* inode number; 0: all of them */
__u64 nol_self_lost; /* self-connects that the ring had no room for */

static __always_inline bool has_equal_addresses(const struct sock___self *sk)
{
	const struct sock_common___self *common = &sk->__sk_common;

	if (common->skc_family != SELF_AF_INET6)
		return common->skc_daddr == common->skc_rcv_saddr;
	for (int i = 0; i < 4; i++)
		if (common->skc_v6_daddr.in6_u.u6_addr32[i] !=
		    common->skc_v6_rcv_saddr.in6_u.u6_addr32[i])
			return false;
	return true;
}

static __always_inline void note_caller(struct sock___self *sk)
{
	struct caller *caller = bpf_sk_storage_get(&nol_self_caller, sk, NULL, SELF_STORAGE_CREATE);

	if (!caller)
		return;
	caller->pid = bpf_get_current_pid_tgid() >> 32;
	bpf_get_current_comm(caller->comm, sizeof(caller->comm));
}

static __always_inline void copy_address(struct nol_self_event *event,
					 const struct sock_common___self *common)
{
	__be32 words[4] = {0, 0, bpf_htonl(0xffff), common->skc_rcv_saddr};

	if (common->skc_family == SELF_AF_INET6)
		for (int i = 0; i < 4; i++)
			words[i] = common->skc_v6_rcv_saddr.in6_u.u6_addr32[i];
	__builtin_memcpy(event->addr, words, sizeof(words));
}

static __always_inline void tell(struct sock___self *sk, __u32 netns)
{
	const struct caller *caller = bpf_sk_storage_get(&nol_self_caller, sk, NULL, 0);
	struct nol_self_event *event;

	if (!caller)
		return;
	event = bpf_ringbuf_reserve(&nol_self_events, sizeof(*event), 0);
	if (!event) {
		__sync_fetch_and_add(&nol_self_lost, 1);
		return;
	}
	__builtin_memset(event, 0, sizeof(*event));
	copy_address(event, &sk->__sk_common);
	event->port = sk->__sk_common.skc_num;
	event->netns = netns;
	event->pid = caller->pid;
	__builtin_memcpy(event->comm, caller->comm, sizeof(event->comm));
	bpf_ringbuf_submit(event, 0);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(nol_self_watch, struct sock___self *sk, int old_state, int new_state)
{
	__u32 netns = sk->__sk_common.skc_net.net->ns.inum;

	if (sk->sk_protocol != SELF_IPPROTO_TCP || (nol_self_netns && netns != nol_self_netns))
		return 0;
	if (new_state == SELF_SYN_SENT && has_equal_addresses(sk))
		note_caller(sk);
	if (new_state == SELF_ESTABLISHED && has_equal_addresses(sk) &&
	    bpf_ntohs(sk->__sk_common.skc_dport) == sk->__sk_common.skc_num)
		tell(sk, netns);
	return 0;
}
