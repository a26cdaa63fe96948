/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The TCP segment in an sk_buff, read from the side: nothing here may change or hold the packet. */
#ifndef NOLISTEN_BPF_TRACE_PACKET_H
#define NOLISTEN_BPF_TRACE_PACKET_H

#include "trace_want.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>

#define TRACE_IPV6_HEADERS_MAX 6

struct trace_ip {
	__u8 source[16], destination[16];
	__u32 tag; /* IPv4 identification or IPv6 flow label */
	__u8 version, ttl;
	__u32 l4_offset; /* from the start of the IP header */
	__u32 payload_len; /* behind the IP header, as it says */
};

struct trace_tcp {
	__be16 source, dest;
	__be32 seq, ack;
	__u8 offset, flags;
	__be16 window;
	__be16 check, urgent;
};

static __always_inline bool read_ipv4(const void *ip, struct trace_ip *out)
{
	__u8 bytes[20];
	__u32 addr, total;

	if (bpf_probe_read_kernel(bytes, sizeof(bytes), ip) || bytes[9] != 6)
		return false;
	if ((bytes[6] & 0x1f) || bytes[7])
		return false;
	out->tag = bytes[4] << 8 | bytes[5];
	out->ttl = bytes[8];
	out->l4_offset = (bytes[0] & 15) * 4;
	total = bytes[2] << 8 | bytes[3];
	out->payload_len = total > out->l4_offset ? total - out->l4_offset : 0;
	__builtin_memcpy(&addr, bytes + 12, 4);
	map_ipv4(out->source, addr);
	__builtin_memcpy(&addr, bytes + 16, 4);
	map_ipv4(out->destination, addr);
	return true;
}

static __always_inline bool is_ipv6_extension(__u8 type)
{
	return type == 0 || type == 43 || type == 60;
}

/* Hop-by-hop, routing and destination options are walked; fragments are not read. */
static __always_inline bool read_ipv6(const void *ip, struct trace_ip *out)
{
	__u8 bytes[40], extension[2], next;
	__u32 total;

	if (bpf_probe_read_kernel(bytes, sizeof(bytes), ip))
		return false;
	out->tag = (bytes[1] & 15) << 16 | bytes[2] << 8 | bytes[3];
	next = bytes[6];
	out->ttl = bytes[7];
	out->l4_offset = 40;
	for (int i = 0; i < TRACE_IPV6_HEADERS_MAX && is_ipv6_extension(next); i++) {
		if (bpf_probe_read_kernel(extension, sizeof(extension), ip + out->l4_offset))
			return false;
		next = extension[0];
		out->l4_offset += (extension[1] + 1) * 8;
	}
	total = (bytes[4] << 8 | bytes[5]) + 40;
	out->payload_len = total > out->l4_offset ? total - out->l4_offset : 0;
	__builtin_memcpy(out->source, bytes + 8, 16);
	__builtin_memcpy(out->destination, bytes + 24, 16);
	return next == 6;
}

static __always_inline bool read_ip(const void *ip, struct trace_ip *out)
{
	__u8 version = 0;

	bpf_probe_read_kernel(&version, sizeof(version), ip);
	out->version = version >> 4;
	if (out->version == 4)
		return read_ipv4(ip, out);
	return out->version == 6 && read_ipv6(ip, out);
}

static __always_inline void take_tcp(const struct trace_tcp *tcp, struct nol_step *step)
{
	const __u16 source = bpf_ntohs(tcp->source), dest = bpf_ntohs(tcp->dest);

	step->key.local_port = step->is_inbound ? dest : source;
	step->key.remote_port = step->is_inbound ? source : dest;
	step->seq = bpf_ntohl(tcp->seq);
	step->ack = bpf_ntohl(tcp->ack);
	step->flags = tcp->flags;
	step->window = bpf_ntohs(tcp->window);
}

static __always_inline void take_addresses(const struct trace_ip *ip, struct nol_step *step)
{
	const __u8 *local = step->is_inbound ? ip->destination : ip->source;
	const __u8 *remote = step->is_inbound ? ip->source : ip->destination;

	__builtin_memcpy(step->key.local_addr, local, 16);
	__builtin_memcpy(step->key.remote_addr, remote, 16);
}

/* The tag alone is in every 65,536th packet from the wire too, see nol_config. */
static __always_inline bool is_replayed(const struct trace_ip *ip)
{
	return trace_replay_tag && !ip->ttl &&
	       ip->tag == (trace_replay_tag & (ip->version == 4 ? 0xffff : 0xfffff));
}

/* Reads the packet whose IP header is at ip into the step, of which is_inbound is set. False: not TCP. */
static __always_inline bool read_segment(const struct sk_buff___trace *skb, const void *ip,
					 struct nol_step *step)
{
	const void *linear_end = skb->data + (skb->len - skb->data_len);
	struct trace_tcp tcp;
	struct trace_ip header;

	if (!read_ip(ip, &header))
		return false;
	if (ip + header.l4_offset + sizeof(tcp) > linear_end ||
	    bpf_probe_read_kernel(&tcp, sizeof(tcp), ip + header.l4_offset)) {
		__sync_fetch_and_add(&trace_counters.unreadable, 1);
		return false;
	}
	take_addresses(&header, step);
	take_tcp(&tcp, step);
	header.l4_offset = (tcp.offset >> 4) * 4;
	step->payload_len =
		header.payload_len > header.l4_offset ? header.payload_len - header.l4_offset : 0;
	step->skb = (__u64)skb;
	step->mark = skb->mark;
	step->is_replayed =
		step->is_inbound && (skb->mark == NOL_MARK_REPLAY || is_replayed(&header));
	return true;
}

static __always_inline const void *network_header(const struct sk_buff___trace *skb)
{
	return skb->head + skb->network_header;
}

static __always_inline bool is_wanted_device(const struct net_device___trace *dev)
{
	const __u32 ifindex = dev->ifindex;

	return is_our_namespace(dev->nd_net.net) && (!trace_ifindex || ifindex == trace_ifindex);
}

/* What a loader without BPF puts back takes the way through lo, whatever interface it came in by. */
static __always_inline bool is_put_back(const struct sk_buff___trace *skb,
					const struct nol_step *step)
{
	return step->is_inbound && skb->mark == NOL_MARK_REPLAY &&
	       is_our_namespace(skb->dev->nd_net.net);
}

#endif
