/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Whose RST is that? For nolisten explain --rst. A RST is made on the CPU, and in the moment, that has the segment in hand
 * which it answers; which program has sent on its 4-tuple before is remembered. All programs only look.
 */
#include "vmlinux.h"

#include <abi/resets.h>

#include "trace_packet.h"
#include "trace_reset.h"
#include "trace_socket.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define RESETS_RST 0x04
#define RESETS_SENDERS_MAX 65536
#define RESETS_TRACK_INFO 7ul /* of _nfct; the rest is the entry's address */

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 512 * 1024);
} nol_resets SEC(".maps");

/* The socket that has sent last on a 4-tuple, if that is no TCP socket. */
struct sender {
	__u64 inode;
	enum nol_step_socket socket;
	__u32 pad;
};

struct {
	__uint(type, TRACE_MAP_TYPE_LRU_HASH);
	__uint(max_entries, RESETS_SENDERS_MAX);
	__type(key, struct nol_flow_key);
	__type(value, struct sender);
} nol_rs_senders SEC(".maps");

/* The segment that this CPU has in hand. */
struct reset_hand {
	struct nol_step cause;
	enum nol_track track;
	__u32 why;
	bool has_why;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct reset_hand);
} nol_rs_hand SEC(".maps");

static __always_inline struct reset_hand *find_reset_hand(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&nol_rs_hand, &zero);
}

/* In front of ip_rcv() only skb->data says where the IP header is. */
SEC("tp_btf/netif_receive_skb")
int nol_rs_in(__u64 *ctx)
{
	const struct sk_buff___trace *skb = ARGUMENT(ctx, 0, struct sk_buff___trace *);
	struct nol_step step = {.kind = NOL_STEP_PACKET_IN, .is_inbound = true};
	struct reset_hand *hand = find_reset_hand();
	const void *ip = skb->data;

	if (!hand)
		return 0;
	hand->cause.kind = NOL_STEP_NONE;
	if (skb->protocol == bpf_htons(0x8100))
		ip += 4;
	if (!is_wanted_device(skb->dev) || !read_segment(skb, ip, &step) || !is_wanted(&step.key))
		return 0;
	hand->cause = step;
	hand->has_why = false;
	hand->track = NOL_TRACK_UNKNOWN;
	return 0;
}

static __always_inline enum nol_track read_track(const struct sk_buff___trace *skb)
{
	unsigned long track;

	if (!bpf_core_field_exists(skb->_nfct))
		return NOL_TRACK_UNKNOWN;
	track = skb->_nfct;
	if (!track)
		return NOL_TRACK_NONE;
	return track & ~RESETS_TRACK_INFO ? NOL_TRACK_ENTRY : NOL_TRACK_OFF;
}

/*
 * Of a socket's own RST, which has been told when it left. The socket has lost its port by then: its identity has to do. A
 * process is running where it is the process's doing.
 */
static __always_inline void tell_why(const struct sock___trace *sk, __u32 why)
{
	struct nol_reset *reset;

	if (!is_our_namespace(sk->__sk_common.skc_net.net))
		return;
	reset = bpf_ringbuf_reserve(&nol_resets, sizeof(*reset), 0);
	if (!reset) {
		__sync_fetch_and_add(&trace_counters.lost, 1);
		return;
	}
	__builtin_memset(reset, 0, sizeof(*reset));
	reset->rst.kind = NOL_STEP_RESET_SENT;
	reset->rst.sk = (__u64)sk;
	reset->why = why;
	reset->has_why = true;
	reset->pid = bpf_get_current_pid_tgid() >> 32;
	bpf_get_current_comm(reset->comm, sizeof(reset->comm));
	bpf_ringbuf_submit(reset, 0);
}

SEC("tp_btf/tcp_send_reset")
int nol_rs_why(__u64 *ctx)
{
	const struct sock___trace *sk = ARGUMENT(ctx, 0, struct sock___trace *);
	const struct sk_buff___trace *skb = ARGUMENT(ctx, 1, struct sk_buff___trace *);
	struct nol_step step = {.kind = NOL_STEP_RESET_SENT, .is_inbound = true};
	struct reset_hand *hand = find_reset_hand();

	if (!skb || !skb->head) {
		if (sk)
			tell_why(sk, reset_reason(ctx));
		return 0;
	}
	if (!hand || !read_segment(skb, network_header(skb), &step) || !is_wanted(&step.key) ||
	    !is_answer_ours(skb, sk))
		return 0;
	step.socket = sk ? socket_kind(sk) : NOL_SOCKET_NONE;
	if (sk)
		step.new_state = sk->__sk_common.skc_state;
	hand->cause = step;
	hand->track = read_track(skb);
	hand->why = reset_reason(ctx);
	hand->has_why = true;
	return 0;
}

/* A segment is answered once. */
static __always_inline void take_cause(struct reset_hand *hand, struct nol_reset *out)
{
	out->cause = hand->cause;
	out->track = hand->track;
	out->why = hand->why;
	out->has_why = hand->has_why;
	hand->cause.kind = NOL_STEP_NONE;
}

static __always_inline bool is_answer(const struct reset_hand *hand, const struct nol_step *rst)
{
	return hand && hand->cause.kind != NOL_STEP_NONE &&
	       is_same_key(&hand->cause.key, &rst->key);
}

static __always_inline void tell_reset(struct nol_step *rst)
{
	const struct sender *sender = bpf_map_lookup_elem(&nol_rs_senders, &rst->key);
	struct reset_hand *hand = find_reset_hand();
	struct nol_reset *reset = bpf_ringbuf_reserve(&nol_resets, sizeof(*reset), 0);

	if (!reset) {
		__sync_fetch_and_add(&trace_counters.lost, 1);
		return;
	}
	__builtin_memset(reset, 0, sizeof(*reset));
	rst->time_ns = bpf_ktime_get_ns();
	reset->rst = *rst;
	if (is_answer(hand, rst))
		take_cause(hand, reset);
	if (sender) {
		reset->sender = sender->socket;
		reset->sender_inode = sender->inode;
	}
	bpf_ringbuf_submit(reset, 0);
}

static __always_inline __u64 read_inode(const struct sock___trace *sk)
{
	const struct socket_alloc___trace *alloc = (const void *)sk->sk_socket;
	unsigned long inode = 0;

	if (alloc)
		bpf_probe_read_kernel(&inode, sizeof(inode), &alloc->vfs_inode.i_ino);
	return inode;
}

static __always_inline void remember_sender(const struct sock___trace *sk,
					    const struct nol_step *step)
{
	const struct sender sender = {.inode = read_inode(sk), .socket = step->socket};

	if (step->socket == NOL_SOCKET_RAW || step->socket == NOL_SOCKET_PACKET)
		bpf_map_update_elem(&nol_rs_senders, &step->key, &sender, 0);
}

SEC("tp_btf/net_dev_queue")
int nol_rs_out(__u64 *ctx)
{
	const struct sk_buff___trace *skb = ARGUMENT(ctx, 0, struct sk_buff___trace *);
	struct nol_step step = {.kind = NOL_STEP_PACKET_OUT};
	const struct sock___trace *sk = skb->sk;

	if (!is_wanted_device(skb->dev))
		return 0;
	step.sk = (__u64)sk;
	if (sk)
		step.socket = socket_kind(sk);
	else if (skb->skb_iif)
		step.socket = NOL_SOCKET_FORWARDED;
	if (!read_segment(skb, network_header(skb), &step) || !is_wanted(&step.key))
		return 0;
	step.ifindex = skb->dev->ifindex;
	if (sk)
		remember_sender(sk, &step);
	if (step.flags & RESETS_RST)
		tell_reset(&step);
	return 0;
}

/* What netfilter's OUTPUT drops has no device yet; it is ours if it answers what this CPU has in hand. */
static __always_inline bool is_dropped_here(const struct sk_buff___trace *skb,
					    const struct nol_step *step)
{
	const struct net_device___trace *dev = skb->dev;

	return dev ? is_wanted_device(dev) : is_answer(find_reset_hand(), step);
}

/*
 * What a guard ends at TC ingress is answered by nobody. Other filters drop there too: only of what a program has sent on
 * before is it known that TCP would not have had it.
 */
static __always_inline void tell_prevented(const struct sk_buff___trace *skb, __u64 *ctx)
{
	struct nol_step step = {.kind = NOL_STEP_DROP, .is_inbound = true};

	if (ctx[2] !=
	    bpf_core_enum_value(enum skb_drop_reason___trace, SKB_DROP_REASON_TC_INGRESS___trace))
		return;
	if (!skb->dev || !is_wanted_device(skb->dev) ||
	    !read_segment(skb, network_header(skb), &step) || !is_wanted(&step.key))
		return;
	if (step.flags & RESETS_RST || !bpf_map_lookup_elem(&nol_rs_senders, &step.key))
		return;
	step.reason = ctx[2];
	step.location = ctx[1];
	tell_reset(&step);
}

SEC("tp_btf/kfree_skb")
int nol_rs_drop(__u64 *ctx)
{
	const struct sk_buff___trace *skb = ARGUMENT(ctx, 0, struct sk_buff___trace *);
	struct nol_step step = {.kind = NOL_STEP_DROP};
	const __be16 protocol = skb->protocol;
	const struct sock___trace *sk = skb->sk;

	if (protocol != bpf_htons(0x0800) && protocol != bpf_htons(0x86dd))
		return 0;
	if (skb->skb_iif) {
		tell_prevented(skb, ctx);
		return 0;
	}
	if (!read_segment(skb, network_header(skb), &step) || !(step.flags & RESETS_RST))
		return 0;
	if (!is_wanted(&step.key) || !is_dropped_here(skb, &step))
		return 0;
	if (sk)
		step.socket = socket_kind(sk);
	step.location = ctx[1];
	step.reason = ctx[2];
	tell_reset(&step);
	return 0;
}
