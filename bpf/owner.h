/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Does a kernel socket own a 4-tuple? What one owns is left to the kernel, always. */
#ifndef NOLISTEN_BPF_OWNER_H
#define NOLISTEN_BPF_OWNER_H

#include "clock.h"
#include "options.h"

#define OWNER_NS_PER_S 1000000000ull
#define OWNER_PAWS_S (24 * 24 * 3600) /* a TSval older than that proves nothing (RFC 7323, 5.5) */

static __always_inline struct bpf_sock *owner_find_from(void *ctx, const struct facts *facts,
							__u16 remote_port)
{
	const struct nol_flow_key *key = &facts->key;
	struct bpf_sock_tuple tuple = {};

	if (facts->is_ipv4) {
		__builtin_memcpy(&tuple.ipv4.saddr, key->remote_addr + 12, 4);
		__builtin_memcpy(&tuple.ipv4.daddr, key->local_addr + 12, 4);
		tuple.ipv4.sport = bpf_htons(remote_port);
		tuple.ipv4.dport = bpf_htons(key->local_port);
		return bpf_skc_lookup_tcp(ctx, &tuple, sizeof(tuple.ipv4), BPF_F_CURRENT_NETNS, 0);
	}
	__builtin_memcpy(tuple.ipv6.saddr, key->remote_addr, 16);
	__builtin_memcpy(tuple.ipv6.daddr, key->local_addr, 16);
	tuple.ipv6.sport = bpf_htons(remote_port);
	tuple.ipv6.dport = bpf_htons(key->local_port);
	return bpf_skc_lookup_tcp(ctx, &tuple, sizeof(tuple.ipv6), BPF_F_CURRENT_NETNS, 0);
}

/* The socket that a packet of this 4-tuple would reach, to be released. */
static __always_inline struct bpf_sock *owner_find(void *ctx, const struct facts *facts)
{
	return owner_find_from(ctx, facts, facts->key.remote_port);
}

/* No connection has remote port 0: what is found from there listens. */
static __always_inline bool has_listener(void *ctx, const struct facts *facts)
{
	struct bpf_sock *sk = owner_find_from(ctx, facts, 0);

	if (!sk)
		return false;
	bpf_sk_release(sk);
	return true;
}

/* PAWS as the kernel does it in TIME-WAIT (RFC 7323, 5.3): too old, unless the last TSval itself is outdated. */
static __always_inline bool is_tsval_rejected(__u32 ts_recent, __u32 ts_recent_s, __u32 tsval)
{
	__u32 now_s = clock_coarse_ns() / OWNER_NS_PER_S;

	return (__s32)(ts_recent - tsval) > 0 && ts_recent &&
	       (__s32)(now_s - ts_recent_s) < OWNER_PAWS_S;
}

/* What a TIME-WAIT socket knows of its connection. */
struct time_wait {
	__u32 rcv_nxt, snd_nxt;
	__u32 ts_recent, ts_recent_s; /* the remote's last TSval, and when; 0: no timestamps */
};

/* False: it is none. FIN-WAIT-2 hides behind the same kind of socket and is not replaced. */
static __always_inline bool time_wait_read(struct bpf_sock *sk, struct time_wait *out)
{
	struct tcp_timewait_sock *tw = bpf_skc_to_tcp_timewait_sock(sk);

	if (!tw || tw->tw_sk.tw_substate != TCP_TIME_WAIT)
		return false;
	out->rcv_nxt = tw->tw_sk.__tw_common.skc_tw_rcv_nxt;
	out->snd_nxt = tw->tw_sk.__tw_common.skc_tw_snd_nxt;
	out->ts_recent = tw->tw_ts_recent;
	out->ts_recent_s = tw->tw_ts_recent_stamp;
	return true;
}

/* Would the kernel let this bare SYN replace it (RFC 6191; RFC 9293, 3.10.7.4)? options: NULL if they cannot be read. */
static __always_inline bool is_time_wait_older(const struct time_wait *old,
					       const struct facts *facts,
					       const struct options *options)
{
	const bool is_newer = (__s32)(facts->seq - old->rcv_nxt) > 0;

	if (!old->ts_recent_s || !options || !(options->has & NOL_OFFER_TIMESTAMPS))
		return is_newer;
	if (is_tsval_rejected(old->ts_recent, old->ts_recent_s, options->tsval))
		return false;
	return is_newer || (__s32)(old->ts_recent - options->tsval) < 0;
}

static __always_inline bool is_time_wait_replaced(struct xdp_md *ctx, const struct facts *facts,
						  struct bpf_sock *sk, __u32 *snd_nxt)
{
	struct options_walk walk = {};
	struct time_wait old;
	bool is_read;

	if (!time_wait_read(sk, &old))
		return false;
	*snd_nxt = old.snd_nxt;
	is_read = old.ts_recent_s && options_read(ctx, facts, &walk);
	return is_time_wait_older(&old, facts, is_read ? &walk.found : NULL);
}

#endif
