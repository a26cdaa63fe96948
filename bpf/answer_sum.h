/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Lengths and checksums of the segments that a SYN-ACK is made of. */
#ifndef NOLISTEN_BPF_ANSWER_SUM_H
#define NOLISTEN_BPF_ANSWER_SUM_H

#include "facts.h"

static __always_inline __u32 link_header_len(void)
{
	return nol_has_link_header ? sizeof(struct ethhdr) : 0;
}

static __always_inline __u32 ip_header_len(bool is_ipv4)
{
	return is_ipv4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
}

/* Written out: clang leaves them as loops, at twice the time of the whole answer. */
static __always_inline __u64 sum_address(const __u8 addr[16])
{
	const __be32 *words = words_of(addr);

	return (__u64)words[0] + words[1] + words[2] + words[3];
}

static __always_inline __u64 sum_five(const __be32 *words)
{
	return (__u64)words[0] + words[1] + words[2] + words[3] + words[4];
}

static __always_inline __u64 sum_pseudo(const struct facts *facts, __u32 tcp_len)
{
	__u64 sum = bpf_htonl(IPPROTO_TCP) + (__u64)bpf_htonl(tcp_len);

	if (facts->is_ipv4)
		return sum + words_of(facts->key.local_addr)[3] +
		       words_of(facts->key.remote_addr)[3];
	return sum + sum_address(facts->key.local_addr) + sum_address(facts->key.remote_addr);
}

/* sum: of fewer than 65,536 words: the second carry is the last. The barrier makes one move of two shifts. */
static __always_inline __u16 fold_sum(__u64 sum)
{
	__u32 low = sum, folded;

	barrier_var(low);
	sum = low + (sum >> 32);
	folded = (__u16)sum + (__u32)(sum >> 16);
	return (__u16)folded + (folded >> 16);
}

#endif
