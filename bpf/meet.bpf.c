/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The guard of nolisten meet, for one 4-tuple. Two connect()s that are seconds apart meet if neither SYN gets a RST:
 * egress drops the RST that our kernel sends for an early SYN, ingress drops the early SYN itself and the RST that a
 * peer without such a guard sends for ours. The state of our socket is asked for with every packet, so there is no
 * moment at which the guard and the kernel are of two minds.
 */
#include "vmlinux.h"

#include "meet_packet.h"
#include "verifier.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define MEET_LET_GO TC_ACT_UNSPEC /* other programs and filters have their say */
#define MEET_NO_SOCKET 0
#define MEET_SYN_SENT 2
#define MEET_SYN_RECEIVED 3
#define MEET_RING_SIZE 65536
#define MEET_FRAME_MIN 40 /* the headers of IP and TCP have been seen */

const volatile struct nol_flow_key nol_meet_key;
volatile struct nol_meet_control nol_meet_control;
struct nol_meet_seen nol_meet_seen;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, MEET_RING_SIZE);
} nol_meet_frames SEC(".maps");

#define count(name) __sync_fetch_and_add(&nol_meet_seen.name, 1)

/* A filter on clsact outlives a killed process: it must not drop for ever. */
static __always_inline bool is_owner_alive(void)
{
	return bpf_ktime_get_ns() - nol_meet_control.heartbeat_ns < NOL_HEARTBEAT_STALE_NS;
}

static __always_inline int socket_state(struct __sk_buff *skb, const struct meet_packet *packet)
{
	const struct nol_flow_key *key = &packet->key;
	struct bpf_sock_tuple tuple = {};
	__u32 size = packet->is_ipv4 ? sizeof(tuple.ipv4) : sizeof(tuple.ipv6);
	struct bpf_sock *sk;
	int state;

	if (packet->is_ipv4) {
		__builtin_memcpy(&tuple.ipv4.saddr, key->remote_addr + 12, 4);
		__builtin_memcpy(&tuple.ipv4.daddr, key->local_addr + 12, 4);
		tuple.ipv4.sport = bpf_htons(key->remote_port);
		tuple.ipv4.dport = bpf_htons(key->local_port);
	} else {
		__builtin_memcpy(tuple.ipv6.saddr, key->remote_addr, 16);
		__builtin_memcpy(tuple.ipv6.daddr, key->local_addr, 16);
		tuple.ipv6.sport = bpf_htons(key->remote_port);
		tuple.ipv6.dport = bpf_htons(key->local_port);
	}
	sk = bpf_skc_lookup_tcp(skb, &tuple, size, BPF_F_CURRENT_NETNS, 0);
	if (!sk)
		return MEET_NO_SOCKET;
	state = sk->state;
	bpf_sk_release(sk);
	return state;
}

static __always_inline int admit_syn(const struct meet_packet *packet, int state)
{
	const bool is_syn_ack = packet->flags & TCP_FLAG_ACK;

	if (state == MEET_NO_SOCKET) {
		count(early_syn);
		return TC_ACT_SHOT;
	}
	if (state == MEET_SYN_SENT && is_syn_ack)
		count(syn_ack);
	else if (state == MEET_SYN_SENT)
		count(syn);
	else if (state == MEET_SYN_RECEIVED && is_syn_ack)
		count(syn_ack_crossed);
	return MEET_LET_GO;
}

static __always_inline int admit(struct __sk_buff *skb, const struct meet_packet *packet)
{
	const int state = socket_state(skb, packet);

	if (packet->flags & TCP_FLAG_RST) {
		if (state != MEET_SYN_SENT)
			return MEET_LET_GO;
		count(rst_in);
		return TC_ACT_SHOT;
	}
	if (packet->flags & TCP_FLAG_SYN)
		return admit_syn(packet, state);
	return MEET_LET_GO;
}

static __always_inline int hold(struct __sk_buff *skb, const struct meet_packet *packet)
{
	struct nol_meet_frame *frame = bpf_ringbuf_reserve(&nol_meet_frames, sizeof(*frame), 0);
	__u32 len = skb->len;

	if (!frame) {
		count(lost);
		return TC_ACT_SHOT;
	}
	frame->len = len;
	frame->l4_offset = packet->l4_offset;
	frame->flags = packet->flags;
	__builtin_memset(frame->pad, 0, sizeof(frame->pad));
	if (len > NOL_MEET_FRAME_MAX ||
	    bpf_skb_load_bytes(skb, 0, frame->frame,
			       bounded(len, MEET_FRAME_MIN, NOL_MEET_FRAME_MAX))) {
		bpf_ringbuf_discard(frame, 0);
		count(lost);
		return TC_ACT_SHOT;
	}
	bpf_ringbuf_submit(frame, 0);
	count(held);
	return TC_ACT_SHOT;
}

SEC("tc")
int nol_meet_in(struct __sk_buff *skb)
{
	struct meet_packet packet;

	if (!packet_read(skb, &packet) || !is_from_remote(&packet, &nol_meet_key) ||
	    !is_owner_alive())
		return MEET_LET_GO;
	if (skb->mark == NOL_MARK_REPLAY)
		skb->mark = 0;
	else if (nol_meet_control.phase == NOL_MEET_HOLD)
		return hold(skb, &packet);
	return admit(skb, &packet);
}

/* The kernel's RST for a SYN that found no socket, and no other (RFC 9293, 3.10.7.1). */
static __always_inline bool is_rst_for_syn(const struct meet_packet *packet)
{
	const __u8 flags = TCP_FLAG_RST | TCP_FLAG_ACK;

	return (packet->flags & flags) == flags && !packet->seq;
}

SEC("tc")
int nol_meet_out(struct __sk_buff *skb)
{
	struct meet_packet packet;

	if (!packet_read(skb, &packet))
		return MEET_LET_GO;
	if (skb->mark == NOL_MARK_REPLAY && is_from_remote(&packet, &nol_meet_key))
		return bpf_redirect(skb->ifindex, BPF_F_INGRESS);
	if (!is_from_local(&packet, &nol_meet_key) || !is_rst_for_syn(&packet) || !is_owner_alive())
		return MEET_LET_GO;
	count(rst_out);
	return TC_ACT_SHOT;
}
