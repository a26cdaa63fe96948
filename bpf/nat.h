/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Is a flow somebody else's, by conntrack? A segment that fits nothing conntrack knows of its connection is INVALID, and is not
 * translated back to the container whose connection it is: it reaches this host's own TCP, which has no socket for it and
 * resets the container's connection. The entry is there all the same, by the 4-tuple as it is on the wire.
 */
#ifndef NOLISTEN_BPF_NAT_H
#define NOLISTEN_BPF_NAT_H

#include "facts.h"

#define NAT_CURRENT_NETNS (-1)
#define NAT_INFO 7ul /* of _nfct; the rest is the entry's address */

/* The kernel's structs as far as they are read; the suffix is ignored when fields are located (CO-RE flavours). */
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

union nf_inet_addr___nat {
	__be32 all[4];
};

union nf_conntrack_man_proto___nat {
	__be16 all;
};

struct nf_conntrack_man___nat {
	union nf_inet_addr___nat u3;
	union nf_conntrack_man_proto___nat u;
};

struct nf_conntrack_tuple___nat {
	struct nf_conntrack_man___nat src;
};

struct nf_conntrack_tuple_hash___nat {
	struct nf_conntrack_tuple___nat tuple;
};

struct nf_conn___nat {
	/* Of the direction that the first packet took, and of the other. */
	struct nf_conntrack_tuple_hash___nat tuplehash[2];
};

struct sk_buff___nat {
	unsigned long _nfct; /* 0: no entry belongs to the packet */
};

#pragma clang attribute pop

/* What the kernel takes for struct bpf_ct_opts since 5.18; later members are optional. */
struct nat_ct_opts {
	__s32 netns_id;
	__s32 error;
	__u8 l4proto;
	__u8 dir;
	__u8 reserved[2];
};

extern struct nf_conn___nat *bpf_skb_ct_lookup(struct __sk_buff *skb, struct bpf_sock_tuple *tuple,
					       __u32 tuple__sz, struct nat_ct_opts *opts,
					       __u32 opts__sz) __ksym __weak;
extern void bpf_ct_release(struct nf_conn___nat *ct) __ksym __weak;

/* As the remote's packets arrive. */
static __always_inline __u32 nat_tuple(const struct facts *facts, struct bpf_sock_tuple *out)
{
	const struct nol_flow_key *key = &facts->key;

	__builtin_memset(out, 0, sizeof(*out));
	if (facts->is_ipv4) {
		__builtin_memcpy(&out->ipv4.saddr, key->remote_addr + 12, 4);
		__builtin_memcpy(&out->ipv4.daddr, key->local_addr + 12, 4);
		out->ipv4.sport = bpf_htons(key->remote_port);
		out->ipv4.dport = bpf_htons(key->local_port);
		return sizeof(out->ipv4);
	}
	__builtin_memcpy(out->ipv6.saddr, key->remote_addr, 16);
	__builtin_memcpy(out->ipv6.daddr, key->local_addr, 16);
	out->ipv6.sport = bpf_htons(key->remote_port);
	out->ipv6.dport = bpf_htons(key->local_port);
	return sizeof(out->ipv6);
}

static __always_inline bool nat_is_local_end(const struct nf_conntrack_man___nat *end,
					     const struct facts *facts)
{
	const __u32 *local = (const __u32 *)facts->key.local_addr;

	if (end->u.all != bpf_htons(facts->key.local_port))
		return false;
	if (facts->is_ipv4)
		return end->u3.all[0] == local[3];
	return end->u3.all[0] == local[0] && end->u3.all[1] == local[1] &&
	       end->u3.all[2] == local[2] && end->u3.all[3] == local[3];
}

/* Where the packets of the other direction come from is whose connection it is. */
static __always_inline bool nat_is_of_other(const struct nf_conn___nat *ct, __u8 dir,
					    const struct facts *facts)
{
	return dir ? !nat_is_local_end(&ct->tuplehash[0].tuple.src, facts)
		   : !nat_is_local_end(&ct->tuplehash[1].tuple.src, facts);
}

/*
 * Does conntrack know the RST itself? One that a firewall's rule has made goes out with the entry, and translated; TCP's own fits
 * none. The context is the kernel's own struct, of which other programs see a window only.
 */
static __always_inline bool nat_is_tracked(struct __sk_buff *skb)
{
	const struct sk_buff___nat *whole = (void *)skb;
	unsigned long entry = 0;

	bpf_probe_read_kernel(&entry, sizeof(entry), &whole->_nfct);
	return entry & ~NAT_INFO;
}

/* Only where user space has found the kernel's functions: whether one is there cannot be asked here before Linux 6.4. */
static __always_inline bool nat_has_other_owner(struct __sk_buff *skb, const struct facts *facts)
{
	struct nat_ct_opts opts = {.netns_id = NAT_CURRENT_NETNS, .l4proto = IPPROTO_TCP};
	struct bpf_sock_tuple tuple;
	const __u32 size = nat_tuple(facts, &tuple);
	struct nf_conn___nat *entry;
	bool is_of_other;

	/* A size that is known to each call: a verifier before 6.3 takes no other. */
	entry = size == sizeof(tuple.ipv4)
			? bpf_skb_ct_lookup(skb, &tuple, sizeof(tuple.ipv4), &opts, sizeof(opts))
			: bpf_skb_ct_lookup(skb, &tuple, sizeof(tuple.ipv6), &opts, sizeof(opts));
	if (!entry)
		return false;
	is_of_other = nat_is_of_other(entry, opts.dir, facts);
	bpf_ct_release(entry);
	return is_of_other;
}

#endif
