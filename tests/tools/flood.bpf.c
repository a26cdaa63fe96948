/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The programs of stray_flood: flood_send makes a flood (run as live frames), flood_take counts and drops what comes back
 * to its sources, and may go on with a handshake. Sources are addresses of 10.9.0.0/16 and fd09::/112.
 */
#include "vmlinux.h"

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "net.h"
#include "tools/flood_frame.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define FIRST_PORT 0x8000
#define PORTS 512 /* of each frame and address */
#define ONE_SOURCE 1
#define SEQ_STEP 2654435761u
#define L3 14
#define TCP_LEN 20
#define REQUEST_LEN 4

struct flood_frame frames[FLOOD_FRAMES];
__u32 flood_number; /* of the next frame */
bool has_one_source;
bool is_ending; /* the same segments' connections are reset */

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct flood_seen);
} flood_seen SEC(".maps");

static __always_inline __u16 fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

static __always_inline void put_long(__u16 *words, __u32 value)
{
	words[0] = bpf_htons(value >> 16);
	words[1] = bpf_htons(value & 0xffff);
}

static __always_inline __u32 get_long(const __u16 *words)
{
	return (__u32)bpf_ntohs(words[0]) << 16 | bpf_ntohs(words[1]);
}

/* Adds what has been put in place of zeros, by words as they lie in memory. */
static __always_inline void add_to_checksum(__u16 *checksum, __u64 sum)
{
	*checksum = ~fold((__u16) ~*checksum + sum);
}

static __always_inline __u32 sequence_of(__u32 number, const struct flood_frame *frame)
{
	return number * SEQ_STEP +
	       (is_ending ? frame->answer == FLOOD_ANSWER_SLOW ? 1 + REQUEST_LEN : 1 : 0);
}

static __always_inline bool write_template(struct xdp_md *ctx, const struct flood_frame *frame)
{
	void *data = (void *)(long)ctx->data;

	if (data + FLOOD_FRAME_MAX > (void *)(long)ctx->data_end)
		return false;
#pragma unroll
	for (int i = 0; i < FLOOD_FRAME_MAX / 8; i++)
		((__u64 *)data)[i] = frame->words[i];
	return !bpf_xdp_adjust_tail(ctx, (int)frame->len - FLOOD_FRAME_MAX);
}

/* Identification, source, port, sequence and acknowledgement number, all of them zero in the template. */
static __always_inline bool write_number(struct xdp_md *ctx, const struct flood_frame *frame,
					 __u32 number, __u32 l4_offset)
{
	__u8 *data = (__u8 *)(long)ctx->data;
	__u16 *tcp = (__u16 *)(data + l4_offset), *source, *id;
	const bool is_v4 = l4_offset == L3 + 20;
	const __u32 high = number / FLOOD_FRAMES;
	__u32 sum;

	if ((void *)(data + l4_offset + TCP_LEN) > (void *)(long)ctx->data_end)
		return false;
	source = (__u16 *)(data + L3 + (is_v4 ? 14 : 22));
	*source = bpf_htons(has_one_source ? ONE_SOURCE : high / PORTS);
	tcp[0] = bpf_htons(FIRST_PORT | (high % PORTS) * FLOOD_FRAMES | number % FLOOD_FRAMES);
	put_long(tcp + 2, sequence_of(number, frame));
	put_long(tcp + 4, number * frame->ack_step);
	sum = *source + tcp[0] + tcp[2] + tcp[3] + tcp[4] + tcp[5];
	add_to_checksum(tcp + 8, sum);
	if (l4_offset != L3 + 40) {
		id = (__u16 *)(data + (is_v4 ? L3 + 4 : L3 + 46));
		*id = bpf_htons(number);
		if (is_v4)
			add_to_checksum((__u16 *)(data + L3 + 10), *source + *id);
	}
	return true;
}

static __always_inline bool write_segment(struct xdp_md *ctx, __u32 number)
{
	const struct flood_frame *frame = &frames[number % FLOOD_FRAMES];

	if (!write_template(ctx, frame))
		return false;
	if (frame->l4_offset == L3 + 20)
		return write_number(ctx, frame, number, L3 + 20);
	if (frame->l4_offset == L3 + 40)
		return write_number(ctx, frame, number, L3 + 40);
	return write_number(ctx, frame, number, L3 + 48);
}

SEC("xdp")
int flood_send(struct xdp_md *ctx)
{
	return write_segment(ctx, flood_number++) ? XDP_TX : XDP_DROP;
}

static __always_inline void count_flags(__u32 flags)
{
	__u32 zero = 0;
	struct flood_seen *seen = bpf_map_lookup_elem(&flood_seen, &zero);

	if (!seen)
		return;
	if (flags & TCP_FLAG_RST)
		seen->rst++;
	else if (flags & TCP_FLAG_SYN)
		seen->syn_ack++;
	else
		seen->other++;
}

static __always_inline void swap_words(__u16 *a, __u16 *b, int count)
{
	for (int i = 0; i < count; i++) {
		__u16 word = a[i];

		a[i] = b[i];
		b[i] = word;
	}
}

/* Both checksums of a segment whose TCP header has no options, at a place and of a length that are known. */
static __always_inline void seal(__u16 *ip, __u16 *tcp, __u32 tcp_len, bool is_v4)
{
	const __u16 *addresses = ip + (is_v4 ? 6 : 4);
	__u64 sum = bpf_htons(IPPROTO_TCP) + bpf_htons(tcp_len), ip_sum = 0;

	tcp[8] = 0;
#pragma unroll
	for (__u32 i = 0; i < (TCP_LEN + REQUEST_LEN) / 2; i++)
		sum += i < tcp_len / 2 ? tcp[i] : 0;
	for (int i = 0; i < (is_v4 ? 4 : 16); i++)
		sum += addresses[i];
	tcp[8] = ~fold(sum);
	if (!is_v4) {
		ip[2] = bpf_htons(tcp_len);
		return;
	}
	ip[1] = bpf_htons(20 + tcp_len);
	ip[5] = 0;
	for (int i = 0; i < 10; i++)
		ip_sum += ip[i];
	ip[5] = ~fold(ip_sum);
}

/* In place of a segment that has options or data, so that there is room for the request. */
static __always_inline int answer(__u16 *words, __u16 *ip, __u16 *tcp, bool is_v4,
				  enum flood_answer kind)
{
	const __u32 seq = get_long(tcp + 2), ack = get_long(tcp + 4);
	const bool is_slow = kind == FLOOD_ANSWER_SLOW;

	swap_words(words, words + 3, 3);
	swap_words(ip + (is_v4 ? 6 : 4), ip + (is_v4 ? 8 : 12), is_v4 ? 2 : 8);
	swap_words(tcp, tcp + 1, 1);
	put_long(tcp + 2, ack);
	put_long(tcp + 4, seq + 1);
	tcp[6] = bpf_htons(5 << 12 | TCP_FLAG_ACK);
	tcp[7] = bpf_htons(is_slow ? 0 : 64240);
	tcp[9] = 0;
	seal(ip, tcp, is_slow ? TCP_LEN + REQUEST_LEN : TCP_LEN, is_v4);
	return XDP_TX;
}

static __always_inline int take(struct xdp_md *ctx, __u32 l4_offset)
{
	const bool is_v4 = l4_offset == L3 + 20;
	__u8 *data = (__u8 *)(long)ctx->data;
	__u16 *tcp = (__u16 *)(data + l4_offset);
	enum flood_answer kind;
	__u32 flags, port;

	if ((void *)(data + l4_offset + TCP_LEN) > (void *)(long)ctx->data_end)
		return XDP_PASS;
	if (data[L3 + (is_v4 ? 9 : 6)] != IPPROTO_TCP)
		return XDP_PASS;
	if (is_v4 ? data[L3 + 16] != 10 || data[L3 + 17] != 9
		  : data[L3 + 24] != 0xfd || data[L3 + 25] != 9)
		return XDP_PASS;
	flags = data[l4_offset + 13];
	count_flags(flags);
	port = bpf_ntohs(tcp[1]);
	kind = frames[port % FLOOD_FRAMES].answer;
	if (kind == FLOOD_ANSWER_NONE || (flags & (TCP_FLAG_SYN | TCP_FLAG_RST)) != TCP_FLAG_SYN)
		return XDP_DROP;
	if ((void *)(tcp + (TCP_LEN + REQUEST_LEN) / 2) > (void *)(long)ctx->data_end)
		return XDP_DROP;
	return answer((__u16 *)data, (__u16 *)(data + L3), tcp, is_v4, kind);
}

SEC("xdp")
int flood_take(struct xdp_md *ctx)
{
	__u16 *words = (__u16 *)(long)ctx->data;

	if ((void *)(words + 8) > (void *)(long)ctx->data_end)
		return XDP_PASS;
	if (words[6] == bpf_htons(ETH_P_IP) && *(__u8 *)(words + 7) == 0x45)
		return take(ctx, L3 + 20);
	if (words[6] == bpf_htons(ETH_P_IPV6))
		return take(ctx, L3 + 40);
	return XDP_PASS;
}
