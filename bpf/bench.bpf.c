/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The benchmark's own programs: one makes a flood of SYNs or ACKs (run as live frames), one takes what comes back and
 * may finish the handshakes, one reflects every packet (the limit of what can be answered), and one puts a SYN
 * back into shape before each run of a program that is being timed.
 */
#include "vmlinux.h"

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "net.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define FRAME_LEN 74 /* Ethernet, IPv4, a Linux SYN */
#define FRAME_WORDS 10

/* A frame in 16-bit words: where its fields are. */
enum {
	WORD_TYPE = 6,
	WORD_IHL = 7,
	WORD_IP_LEN = 8,
	WORD_TTL_PROTOCOL = 11,
	WORD_IP_CHECK = 12,
	WORD_SOURCE = 13,
	WORD_DESTINATION = 15,
	WORD_SOURCE_PORT = 17,
	WORD_DESTINATION_PORT = 18,
	WORD_SEQ = 19,
	WORD_ACK = 21,
	WORD_FLAGS = 23,
	WORD_TCP_CHECK = 25,
	WORD_OPTIONS = 27,
	WORD_MIN = 27,
	WORD_END = 37,
};

#define FLOOD_PORT_BITS 15
#define FLOOD_FIRST_PORT 0x8000
#define FLOOD_ADDRESS_MASK 0xffff

/* Written by user space before a flood: the frame with a source of zeros, and the sums of its headers. */
__u64 flood_frame[FRAME_WORDS];
__u64 flood_ip_sum;
__u64 flood_tcp_sum;
__u32 flood_ack_step; /* between the acknowledgements of one segment and the next; 0: none, a SYN */
__u32 flood_prefix; /* of the sources, a /16 in host order */
__u32 flood_sequence; /* the next packet's number; written by the sender */
bool finishes_handshakes;

/* What came back to the sources of the flood. */
struct bench_counts {
	__u64 syn_ack;
	__u64 reflected;
	__u64 rst;
	__u64 other;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bench_counts);
} bench_counts SEC(".maps");

/* The program that bench_restore goes on to. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} bench_timed SEC(".maps");

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

static __always_inline bool write_template(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;

	if (data + FRAME_LEN > end)
		return false;
#pragma unroll
	for (int i = 0; i < FRAME_WORDS - 1; i++)
		((__u64 *)data)[i] = flood_frame[i];
	((__u16 *)data)[WORD_END - 1] = flood_frame[FRAME_WORDS - 1];
	return true;
}

/* Every packet of a flood has a 4-tuple of its own, 2^31 of them in turn. */
static __always_inline bool write_segment(struct xdp_md *ctx, __u32 number)
{
	__u32 source = flood_prefix | (number >> FLOOD_PORT_BITS & FLOOD_ADDRESS_MASK);
	__u32 port = FLOOD_FIRST_PORT | (number & ((1 << FLOOD_PORT_BITS) - 1));
	__u16 *words = (__u16 *)(long)ctx->data;
	__u32 sum;

	if (!write_template(ctx) || (void *)(words + WORD_END) > (void *)(long)ctx->data_end)
		return false;
	put_long(words + WORD_SOURCE, source);
	words[WORD_SOURCE_PORT] = bpf_htons(port);
	put_long(words + WORD_SEQ, number * 2654435761u);
	put_long(words + WORD_ACK, number * flood_ack_step);
	sum = words[WORD_SOURCE] + words[WORD_SOURCE + 1];
	words[WORD_IP_CHECK] = ~fold(flood_ip_sum + sum);
	sum += words[WORD_SOURCE_PORT] + words[WORD_SEQ] + words[WORD_SEQ + 1] + words[WORD_ACK] +
	       words[WORD_ACK + 1];
	words[WORD_TCP_CHECK] = ~fold(flood_tcp_sum + sum);
	return true;
}

SEC("xdp")
int bench_send(struct xdp_md *ctx)
{
	return write_segment(ctx, flood_sequence++) ? XDP_TX : XDP_DROP;
}

/* The words of a plain IPv4 TCP frame that goes to (or comes from) a source of the flood, or NULL. */
static __always_inline __u16 *find_flood(struct xdp_md *ctx, __u32 address_word)
{
	__u16 *words = (__u16 *)(long)ctx->data;

	if ((void *)(words + WORD_MIN) > (void *)(long)ctx->data_end)
		return NULL;
	if (words[WORD_TYPE] != bpf_htons(ETH_P_IP) || *(__u8 *)(words + WORD_IHL) != 0x45 ||
	    (bpf_ntohs(words[WORD_TTL_PROTOCOL]) & 0xff) != IPPROTO_TCP)
		return NULL;
	return bpf_ntohs(words[address_word]) == flood_prefix >> 16 ? words : NULL;
}

static __always_inline void swap_words(__u16 *a, __u16 *b)
{
	__u16 word = *a;

	*a = *b;
	*b = word;
}

static __always_inline void turn_frame(__u16 *words)
{
#pragma unroll
	for (int i = 0; i < 3; i++)
		swap_words(words + i, words + 3 + i);
	swap_words(words + WORD_SOURCE, words + WORD_DESTINATION);
	swap_words(words + WORD_SOURCE + 1, words + WORD_DESTINATION + 1);
	swap_words(words + WORD_SOURCE_PORT, words + WORD_DESTINATION_PORT);
}

SEC("xdp")
int bench_reflect(struct xdp_md *ctx)
{
	__u16 *words = find_flood(ctx, WORD_SOURCE);

	if (!words)
		return XDP_PASS;
	turn_frame(words);
	return XDP_TX;
}

/* Lengths and checksums for a TCP header of tcp_words 16-bit words, and nothing behind it but padding. */
static __always_inline void seal(__u16 *words, __u32 tcp_words, __u32 flags)
{
	__u64 sum = bpf_htons(IPPROTO_TCP) + bpf_htons(tcp_words * 2), ip_sum = 0;

	words[WORD_FLAGS] = bpf_htons(tcp_words << 11 | flags);
	words[WORD_IP_LEN] = bpf_htons(20 + tcp_words * 2);
	words[WORD_IP_CHECK] = 0;
	words[WORD_TCP_CHECK] = 0;
#pragma unroll
	for (int i = 0; i < 10; i++)
		ip_sum += words[WORD_IHL + i];
	words[WORD_IP_CHECK] = ~fold(ip_sum);
#pragma unroll
	for (__u32 i = 0; i < tcp_words; i++)
		sum += words[WORD_SOURCE_PORT + i];
#pragma unroll
	for (int i = 0; i < 4; i++)
		sum += words[WORD_SOURCE + i];
	words[WORD_TCP_CHECK] = ~fold(sum);
}

/* Did the SYN-ACK agree to everything, in Linux's order of options? Then its timestamp comes back. */
static __always_inline bool has_linux_options(struct xdp_md *ctx, const __u16 *words)
{
	if ((void *)(words + WORD_END) > (void *)(long)ctx->data_end)
		return false;
	return get_long(words + WORD_OPTIONS + 2) == 0x0402080a;
}

static __always_inline int answer_with_ack(struct xdp_md *ctx, __u16 *words)
{
	__u32 seq = get_long(words + WORD_SEQ), ack = get_long(words + WORD_ACK), tsval, tsecr;

	turn_frame(words);
	put_long(words + WORD_SEQ, ack);
	put_long(words + WORD_ACK, seq + 1);
	if (!has_linux_options(ctx, words)) {
		seal(words, 10, TCP_FLAG_ACK);
		return XDP_TX;
	}
	tsval = get_long(words + WORD_OPTIONS + 4);
	tsecr = get_long(words + WORD_OPTIONS + 6);
	put_long(words + WORD_OPTIONS, 0x0101080a);
	put_long(words + WORD_OPTIONS + 2, tsecr);
	put_long(words + WORD_OPTIONS + 4, tsval);
	seal(words, 16, TCP_FLAG_ACK);
	return XDP_TX;
}

/* The end of a connection of the flood, so that no closed socket lingers. */
static __always_inline int answer_with_rst(__u16 *words)
{
	turn_frame(words);
	swap_words(words + WORD_SEQ, words + WORD_ACK);
	swap_words(words + WORD_SEQ + 1, words + WORD_ACK + 1);
	seal(words, 10, TCP_FLAG_RST);
	return XDP_TX;
}

static __always_inline void count_flags(__u32 flags)
{
	__u32 zero = 0;
	struct bench_counts *counts = bpf_map_lookup_elem(&bench_counts, &zero);

	if (!counts)
		return;
	if (flags & TCP_FLAG_RST)
		counts->rst++;
	else if ((flags & (TCP_FLAG_SYN | TCP_FLAG_ACK)) == (TCP_FLAG_SYN | TCP_FLAG_ACK))
		counts->syn_ack++;
	else if (flags & TCP_FLAG_SYN)
		counts->reflected++;
	else
		counts->other++;
}

SEC("xdp")
int bench_take(struct xdp_md *ctx)
{
	__u16 *words = find_flood(ctx, WORD_DESTINATION);
	__u32 flags;

	if (!words)
		return XDP_PASS;
	flags = bpf_ntohs(words[WORD_FLAGS]);
	count_flags(flags);
	if (!finishes_handshakes || flags & TCP_FLAG_RST)
		return XDP_DROP;
	if (flags & TCP_FLAG_SYN)
		return answer_with_ack(ctx, words);
	return flags & TCP_FLAG_FIN ? answer_with_rst(words) : XDP_DROP;
}

/* The program under test changes the frame in place, and the next run starts where it left off. */
SEC("xdp.frags")
int bench_restore(struct xdp_md *ctx)
{
	__u32 len = bpf_xdp_get_buff_len(ctx);

	if (len != FRAME_LEN && bpf_xdp_adjust_tail(ctx, FRAME_LEN - (int)len))
		return XDP_ABORTED;
	if (write_segment(ctx, 1))
		bpf_tail_call(ctx, &bench_timed, 0);
	return XDP_ABORTED;
}

SEC("xdp.frags")
int bench_empty(struct xdp_md *ctx)
{
	return XDP_TX;
}
