/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the kernel does with TCP handshakes, from its tracepoints, for nolisten explain. One program a tracepoint;
 * all of them only look.
 */
#include "vmlinux.h"

#include "trace_packet.h"
#include "trace_reset.h"
#include "trace_socket.h"
#include "trace_step.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

static __always_inline bool is_handshake(struct nol_step *step)
{
	return is_wanted(&step->key) && count_plain(step);
}

/* A packet on its way; what follows on this CPU is put down to it. */
static __always_inline void tell_packet(const struct sk_buff___trace *skb, const void *ip,
					struct nol_step *step)
{
	struct trace_hand *hand = find_hand();

	if (!hand)
		return;
	hand->step.skb = 0;
	if (!is_wanted_device(skb->dev) && !is_put_back(skb, step))
		return;
	if (!read_segment(skb, ip, step) || !is_handshake(step))
		return;
	step->ifindex = skb->dev->ifindex;
	hand->step = *step;
	tell(step);
}

/* In front of ip_rcv() only skb->data says where the IP header is. */
SEC("tp_btf/netif_receive_skb")
int nol_tr_in(__u64 *ctx)
{
	const struct sk_buff___trace *skb = ARGUMENT(ctx, 0, struct sk_buff___trace *);
	struct nol_step step = {.kind = NOL_STEP_PACKET_IN, .is_inbound = true};
	const void *ip = skb->data;

	if (skb->protocol == bpf_htons(0x8100))
		ip += 4;
	tell_packet(skb, ip, &step);
	return 0;
}

SEC("tp_btf/net_dev_queue")
int nol_tr_out(__u64 *ctx)
{
	const struct sk_buff___trace *skb = ARGUMENT(ctx, 0, struct sk_buff___trace *);
	struct nol_step step = {.kind = NOL_STEP_PACKET_OUT};
	const struct sock___trace *sk = skb->sk;

	step.sk = (__u64)sk;
	if (sk)
		step.socket = socket_kind(sk);
	else if (skb->skb_iif)
		step.socket = NOL_SOCKET_FORWARDED;
	tell_packet(skb, network_header(skb), &step);
	return 0;
}

SEC("tp_btf/sk_data_ready")
int nol_tr_copy(__u64 *ctx)
{
	const struct sock___trace *sk = ARGUMENT(ctx, 0, struct sock___trace *);
	struct trace_hand *hand = find_hand();
	struct nol_step step;

	if (!hand || !hand->step.skb || !is_copy_receiver(sk) ||
	    !is_our_namespace(sk->__sk_common.skc_net.net))
		return 0;
	step = hand->step;
	step.kind = NOL_STEP_COPY;
	step.sk = (__u64)sk;
	step.socket = socket_kind(sk);
	tell(&step);
	return 0;
}

/*
 * What netfilter's OUTPUT drops has no device yet. Its socket tells the namespace; a RST over IPv6 has no socket
 * either, but it answers the packet that this CPU has in hand.
 */
static __always_inline bool is_sent_here(const struct sk_buff___trace *skb,
					 const struct nol_step *step)
{
	const struct trace_hand *hand = find_hand();
	const struct sock___trace *sk = skb->sk;

	if (sk)
		return is_our_namespace(sk->__sk_common.skc_net.net);
	return hand && hand->step.skb && is_same_key(&hand->step.key, &step->key);
}

/* Without a device the packet is ours if this CPU has it in hand; if not, user space knows it or forgets it. */
static __always_inline bool place_drop(const struct sk_buff___trace *skb, struct nol_step *step)
{
	const struct net_device___trace *dev = skb->dev;
	const struct trace_hand *hand = find_hand();

	if (dev) {
		step->ifindex = dev->ifindex;
		step->is_inbound = skb->skb_iif != 0;
		return is_wanted_device(dev);
	}
	if (!skb->skb_iif)
		return true; /* on its way out, see is_sent_here() */
	step->is_unplaced = !hand || hand->step.skb != (__u64)skb;
	step->is_inbound = step->is_unplaced || hand->step.is_inbound;
	return true;
}

SEC("tp_btf/kfree_skb")
int nol_tr_drop(__u64 *ctx)
{
	const struct sk_buff___trace *skb = ARGUMENT(ctx, 0, struct sk_buff___trace *);
	struct nol_step step = {.kind = NOL_STEP_DROP};
	const __be16 protocol = skb->protocol;

	if (protocol != bpf_htons(0x0800) && protocol != bpf_htons(0x86dd))
		return 0;
	if (!place_drop(skb, &step) || !read_segment(skb, network_header(skb), &step))
		return 0;
	if (!is_wanted(&step.key))
		return 0;
	if (!step.is_inbound && !step.ifindex && !is_sent_here(skb, &step))
		return 0;
	step.location = ctx[1];
	step.reason = ctx[2];
	tell(&step);
	return 0;
}

SEC("tp_btf/tcp_send_reset")
int nol_tr_reset(__u64 *ctx)
{
	const struct sock___trace *sk = ARGUMENT(ctx, 0, struct sock___trace *);
	const struct sk_buff___trace *skb = ARGUMENT(ctx, 1, struct sk_buff___trace *);
	struct nol_step step = {.kind = NOL_STEP_RESET_SENT, .is_inbound = true};

	step.reason = reset_reason(ctx);
	if (skb && skb->head && read_segment(skb, network_header(skb), &step)) {
		if (!is_wanted(&step.key) || !is_answer_ours(skb, sk))
			return 0;
		step.sk = (__u64)sk;
		step.socket = sk ? socket_kind(sk) : NOL_SOCKET_NONE;
	} else if (!sk || !read_socket(sk, &step)) {
		return 0;
	}
	tell(&step);
	return 0;
}

static __always_inline int tell_socket(const struct sock___trace *sk, struct nol_step *step)
{
	if (read_socket(sk, step))
		tell(step);
	return 0;
}

SEC("tp_btf/tcp_receive_reset")
int nol_tr_refused(__u64 *ctx)
{
	struct nol_step step = {.kind = NOL_STEP_RESET_RECEIVED};

	return tell_socket(ARGUMENT(ctx, 0, struct sock___trace *), &step);
}

SEC("tp_btf/inet_sock_set_state")
int nol_tr_state(__u64 *ctx)
{
	const struct sock___trace *sk = ARGUMENT(ctx, 0, struct sock___trace *);
	struct nol_step step = {.kind = NOL_STEP_STATE};

	if (sk->sk_protocol != TRACE_IPPROTO_TCP || !read_socket(sk, &step))
		return 0;
	step.old_state = ctx[1];
	step.new_state = ctx[2];
	tell(&step);
	return 0;
}

SEC("tp_btf/inet_sk_error_report")
int nol_tr_error(__u64 *ctx)
{
	const struct sock___trace *sk = ARGUMENT(ctx, 0, struct sock___trace *);
	struct nol_step step = {.kind = NOL_STEP_ERROR};

	step.error = sk->sk_err;
	if (sk->sk_protocol == TRACE_IPPROTO_TCP && step.error)
		tell_socket(sk, &step);
	return 0;
}

SEC("tp_btf/tcp_retransmit_skb")
int nol_tr_again(__u64 *ctx)
{
	struct nol_step step = {.kind = NOL_STEP_RETRANSMIT};

	return tell_socket(ARGUMENT(ctx, 0, struct sock___trace *), &step);
}

SEC("tp_btf/tcp_destroy_sock")
int nol_tr_destroy(__u64 *ctx)
{
	struct nol_step step = {.kind = NOL_STEP_DESTROYED};

	return tell_socket(ARGUMENT(ctx, 0, struct sock___trace *), &step);
}
