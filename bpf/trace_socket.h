/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a step says about a socket. */
#ifndef NOLISTEN_BPF_TRACE_SOCKET_H
#define NOLISTEN_BPF_TRACE_SOCKET_H

#include "trace_want.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>

#define TRACE_AF_INET 2
#define TRACE_AF_INET6 10
#define TRACE_AF_PACKET 17
#define TRACE_SOCK_RAW 3
#define TRACE_IPPROTO_TCP 6
#define TRACE_IPPROTO_RAW 255
#define TRACE_STATE_TIME_WAIT 6
#define TRACE_STATE_NEW_SYN_RECV 12

static __always_inline void read_addresses(const struct sock___trace *sk, struct nol_step *step)
{
	const struct sock_common___trace *common = &sk->__sk_common;

	if (common->skc_family == TRACE_AF_INET) {
		map_ipv4(step->key.local_addr, common->skc_rcv_saddr);
		map_ipv4(step->key.remote_addr, common->skc_daddr);
		return;
	}
	bpf_probe_read_kernel(step->key.local_addr, 16, &common->skc_v6_rcv_saddr);
	bpf_probe_read_kernel(step->key.remote_addr, 16, &common->skc_v6_daddr);
}

/* False: not TCP, not of this namespace, or without a remote end. */
static __always_inline bool read_socket(const struct sock___trace *sk, struct nol_step *step)
{
	const __u16 family = sk->__sk_common.skc_family;

	if (family != TRACE_AF_INET && family != TRACE_AF_INET6)
		return false;
	if (!is_our_namespace(sk->__sk_common.skc_net.net))
		return false;
	read_addresses(sk, step);
	step->key.local_port = sk->__sk_common.skc_num;
	step->key.remote_port = bpf_ntohs(sk->__sk_common.skc_dport);
	step->sk = (__u64)sk;
	step->socket = NOL_SOCKET_TCP;
	step->old_state = step->new_state = sk->__sk_common.skc_state;
	return step->key.remote_port && is_wanted(&step->key);
}

/* The sockets that the kernel sends RSTs through are raw, and hold no reference to their namespace. */
static __always_inline bool is_of_kernel(const struct sock___trace *sk)
{
	return !BPF_CORE_READ_BITFIELD(&sk->__sk_common, skc_net_refcnt);
}

/* A request or TIME-WAIT socket has nothing behind its common part. */
static __always_inline enum nol_step_socket socket_kind(const struct sock___trace *sk)
{
	const __u8 state = sk->__sk_common.skc_state;

	if (sk->__sk_common.skc_family == TRACE_AF_PACKET)
		return NOL_SOCKET_PACKET;
	if (state == TRACE_STATE_NEW_SYN_RECV || state == TRACE_STATE_TIME_WAIT)
		return NOL_SOCKET_REQUEST;
	if (sk->sk_type != TRACE_SOCK_RAW)
		return NOL_SOCKET_TCP;
	return is_of_kernel(sk) ? NOL_SOCKET_KERNEL : NOL_SOCKET_RAW;
}

static __always_inline bool is_copy_receiver(const struct sock___trace *sk)
{
	const __u16 family = sk->__sk_common.skc_family;

	if (family == TRACE_AF_PACKET)
		return true;
	if (family != TRACE_AF_INET && family != TRACE_AF_INET6)
		return false;
	return sk->sk_type == TRACE_SOCK_RAW &&
	       (sk->sk_protocol == TRACE_IPPROTO_TCP || sk->sk_protocol == TRACE_IPPROTO_RAW);
}

#endif
