/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Whose a packet on its way out is, by the kernel's own structs, of which the program's context is a window only. */
#ifndef NOLISTEN_BPF_ORIGIN_H
#define NOLISTEN_BPF_ORIGIN_H

#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

#include "net.h"

#define ORIGIN_ROUTE_FLAGS 1ul /* of _skb_refdst; the rest is the route's address */

/* The kernel's structs as far as they are read; the suffix is ignored when fields are located (CO-RE flavours). */
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct possible_net___origin {
	void *net;
};

struct net_device___origin {
	struct possible_net___origin nd_net;
};

struct dst_entry___origin {
	struct net_device___origin *dev;
};

struct socket___origin {
	void *file;
};

struct sock___origin {
	struct socket___origin *sk_socket;
};

struct sk_buff___origin {
	struct sock___origin *sk;
	struct net_device___origin *dev;
	unsigned long _skb_refdst;
};

#pragma clang attribute pop

static __always_inline const void *origin_net(const struct net_device___origin *dev)
{
	const void *net = NULL;

	bpf_probe_read_kernel(&net, sizeof(net), &dev->nd_net.net);
	return net;
}

/*
 * Has the kernel sent it for this network namespace? What a macvlan or ipvlan sends leaves by the device below it, which is in another
 * one; the packet still has the route by which it left its own. True as well where nobody knows.
 */
static __always_inline bool origin_is_here(struct __sk_buff *skb)
{
	const struct sk_buff___origin *whole = (void *)skb;
	const struct net_device___origin *left_by = NULL, *dev = NULL;
	const struct dst_entry___origin *route;
	unsigned long tagged = 0;

	bpf_probe_read_kernel(&tagged, sizeof(tagged), &whole->_skb_refdst);
	route = (const void *)(tagged & ~ORIGIN_ROUTE_FLAGS);
	if (!route)
		return true;
	bpf_probe_read_kernel(&left_by, sizeof(left_by), &route->dev);
	bpf_probe_read_kernel(&dev, sizeof(dev), &whole->dev);
	return origin_net(left_by) == origin_net(dev);
}

/* Is its socket, which it has, a process's? The kernel has sockets of its own, which no file belongs to. A closed one was a process's. */
static __always_inline bool origin_is_process(struct __sk_buff *skb)
{
	const struct sk_buff___origin *whole = (void *)skb;
	const struct socket___origin *socket = NULL;
	const struct sock___origin *sk = NULL;
	const void *file = NULL;

	bpf_probe_read_kernel(&sk, sizeof(sk), &whole->sk);
	bpf_probe_read_kernel(&socket, sizeof(socket), &sk->sk_socket);
	if (!socket)
		return true;
	bpf_probe_read_kernel(&file, sizeof(file), &socket->file);
	return file;
}

#endif
