/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * For --pcap: copies of packets that user space never sees, with what became of them, in a ring of their own. A full ring loses
 * copies, which is counted, and nothing else. Whatever is not asked for is not in the program at all: nol_captures is constant.
 */
#ifndef NOLISTEN_BPF_CAPTURE_H
#define NOLISTEN_BPF_CAPTURE_H

#include "vmlinux.h"

#include <abi/capture.h>

#include "maps.h"
#include "stats.h"
#include "verifier.h"

#define CAPTURE_FRAME_MIN 20
#define CAPTURE_LINK 14 /* bytes of a link header */

/* Bits of enum nol_capture_verdict. */
const volatile __u32 nol_captures = 0;

/* So many bytes of copies, and the reader is woken; it looks by itself every so often. */
const volatile __u32 nol_pcap_wake = 0;

/* Not there unless something is captured; max_entries are set at load. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} nol_pcap SEC(".maps");

/* What a copy says beside the frame, in one register. */
#define CAPTURE_OUTGOING (1u << 31)
#define CAPTURE_NO_LINK (1u << 30) /* the frame has lost its link header, see ingress_link.h */
#define capture_word(verdict, name) (NOL_CAPTURE_##verdict << 16 | (__u32)NOL_CAPTURE_REASON(name))

#define is_captured(verdict) (nol_captures & NOL_CAPTURE_BIT(verdict))

/* Then the general way answers, which copies; the short one has no place for it. */
static __always_inline bool has_captured_answers(void)
{
	return nol_captures & (NOL_CAPTURE_BIT(ANSWERED) | NOL_CAPTURE_BIT(SENT));
}

#define CAPTURE_RESERVE(len, class)                                                      \
	({                                                                               \
		*(len) = bounded(*(len), CAPTURE_FRAME_MIN, class);                      \
		bpf_ringbuf_reserve(&nol_pcap, sizeof(struct nol_capture) + (class), 0); \
	})

/* *len becomes how much of the frame is copied. NULL: no room. */
static __always_inline struct nol_capture *capture_reserve(__u64 *len)
{
	if (*len <= 128)
		return CAPTURE_RESERVE(len, 128);
	if (*len <= 512)
		return CAPTURE_RESERVE(len, 512);
	return CAPTURE_RESERVE(len, NOL_CAPTURE_SNAP_MAX);
}

static __always_inline void capture_fill(struct nol_capture *copy, __u32 frame_len, __u32 snap_len)
{
	copy->taken_ns = bpf_ktime_get_ns();
	copy->frame_len = frame_len;
	copy->snap_len = snap_len;
	copy->pad[0] = copy->pad[1] = 0;
}

/*
 * The frame as it is now, to be submitted or forgotten. 0: there is no copy, 1: it is in *out. Which is a number, and the pointer is looked
 * at once: Linux 6.1 forgets that a record of a ring was found not to be NULL, and asks what is done with it on ways that there are not.
 */
static __always_inline __u64 capture_copy(struct xdp_md *ctx, struct nol_capture **out)
{
	const __u64 frame_len = bpf_xdp_get_buff_len(ctx);
	__u64 len = frame_len;
	struct nol_capture *copy = capture_reserve(&len);

	if (!copy) {
		count(capture_lost);
		return 0;
	}
	capture_fill(copy, frame_len, len);
	if (bpf_xdp_load_bytes(ctx, 0, copy + 1, len)) {
		bpf_ringbuf_discard(copy, BPF_RB_NO_WAKEUP);
		return 0;
	}
	*out = copy;
	return 1;
}

static __always_inline void capture_submit(struct nol_capture *copy, __u32 word)
{
	const __u64 waiting = bpf_ringbuf_query(&nol_pcap, BPF_RB_AVAIL_DATA);
	const bool wakes = waiting >= nol_pcap_wake && waiting < nol_pcap_wake + 4096;

	copy->verdict = word >> 16 & 0x3fff;
	copy->reason = word;
	copy->is_outgoing = word >> 31;
	copy->is_l3 = !nol_has_link_header;
	bpf_ringbuf_submit(copy, wakes ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP);
}

/* A copy of what is going to be written over, until it is known what became of it. */
struct capture_before {
	struct nol_capture *copy;
	__u64 is_there;
};

static __always_inline void capture_begin(struct xdp_md *ctx, struct capture_before *before)
{
	__u64 is_there = 0;

	if (is_captured(ANSWERED))
		is_there = capture_copy(ctx, &before->copy);
	barrier_var(is_there);
	before->is_there = is_there;
}

static __always_inline void capture_forget(const struct capture_before *before)
{
	if (is_captured(ANSWERED) && before->is_there)
		bpf_ringbuf_discard(before->copy, BPF_RB_NO_WAKEUP);
}

static __always_inline void capture_answered(const struct capture_before *before, __u32 word)
{
	if (is_captured(ANSWERED) && before->is_there)
		capture_submit(before->copy, word);
}

/* A function of its own, so that its callers pay with a call only, and no stack. */
static __noinline int capture_frame(struct xdp_md *ctx, __u32 word)
{
	struct nol_capture *copy;

	if (capture_copy(ctx, &copy))
		capture_submit(copy, word);
	return 0;
}

/* What programs at TC do not see any more is still there. */
static __always_inline long load_frame(struct __sk_buff *skb, __u8 *to, __u64 len, bool is_cut)
{
	if (!is_cut)
		return bpf_skb_load_bytes(skb, 0, to, len);
	return bpf_skb_load_bytes_relative(skb, 0, to, CAPTURE_LINK, BPF_HDR_START_MAC)
		       ?: bpf_skb_load_bytes(skb, 0, to + CAPTURE_LINK, len - CAPTURE_LINK);
}

/* The same at TC. */
static __noinline int capture_skb(struct __sk_buff *skb, __u32 word)
{
	const bool is_cut = nol_has_link_header && word & CAPTURE_NO_LINK;
	const __u64 frame_len = skb->len + (is_cut ? CAPTURE_LINK : 0);
	__u64 len = frame_len;
	struct nol_capture *copy = capture_reserve(&len);

	if (!copy) {
		count(capture_lost);
		return 0;
	}
	capture_fill(copy, frame_len, len);
	if (load_frame(skb, (__u8 *)(copy + 1), len, is_cut))
		bpf_ringbuf_discard(copy, BPF_RB_NO_WAKEUP);
	else
		capture_submit(copy, word);
	return 0;
}

/* Of what is in hand now: its fate, and the counter that has it. */
#define capture(ctx, verdict, name)                                      \
	({                                                               \
		if (is_captured(verdict))                                \
			capture_frame(ctx, capture_word(verdict, name)); \
	})
#define capture_reply(ctx, name)                                                         \
	({                                                                               \
		if (is_captured(SENT))                                                   \
			capture_frame(ctx, CAPTURE_OUTGOING | capture_word(SENT, name)); \
	})
#define capture_ingress(skb, facts, verdict, name)                                    \
	({                                                                            \
		if (is_captured(verdict))                                             \
			capture_skb(skb, ((facts)->l3_offset ? 0 : CAPTURE_NO_LINK) | \
						 capture_word(verdict, name));        \
	})
#define capture_egress(skb, verdict, name)                                                \
	({                                                                                \
		if (is_captured(verdict))                                                 \
			capture_skb(skb, CAPTURE_OUTGOING | capture_word(verdict, name)); \
	})

#endif
