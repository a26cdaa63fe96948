/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Loading, aiming, sending live frames, counting. */
#include "bench_kern.h"

#include <errno.h>
#include <linux/if_link.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bench_kern_private.h"
#include "bytes.h"

#define FRAME_LEN 74
#define L3_OFFSET 14
#define IP_CHECK_OFFSET (L3_OFFSET + 10)
#define L4_OFFSET (L3_OFFSET + 20)
#define TCP_LEN (FRAME_LEN - L4_OFFSET)
#define TCP_FLAGS_OFFSET (L4_OFFSET + 13)
#define TCP_OPTIONS_OFFSET (L4_OFFSET + 20)
#define ACK_STEP 2246822519u /* odd: no acknowledgement comes twice before all have come */

/* Flags [S], win 64240, options [mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 7], length 0 */
static const uint8_t template[FRAME_LEN] =
	{
		[12] = 0x08, 0x00, 0x45, 0x00,	      0x00, 0x3c, 0x00, 0x00,	     0x40,
		0x00,	     0x40, 0x06, [46] = 0xa0, 0x02, 0xfa, 0xf0, [54] = 0x02, 0x04,
		0x05,	     0xb4, 0x04, 0x02,	      0x08, 0x0a, 0x00, 0x00,	     0x00,
		0x01,	     0x00, 0x00, 0x00,	      0x00, 0x01, 0x03, 0x03,	     0x07,
};

int bench_kern_open(struct bench_kern **out, struct load_failure *failure)
{
	struct bench_kern *kern = calloc(1, sizeof(*kern));
	int err;

	if (!kern)
		return load_failure_set(failure, -ENOMEM, "allocate memory");
	load_log_begin(failure);
	kern->skel = bench_bpf__open_and_load();
	err = load_log_end(kern->skel ? 0 : -errno);
	if (err)
		free(kern);
	else
		*out = kern;
	return err;
}

int bench_kern_probe(struct load_failure *failure)
{
	struct bench_kern *kern = NULL;
	int err = bench_kern_open(&kern, failure);

	bench_kern_close(kern);
	return err;
}

void bench_kern_close(struct bench_kern *kern)
{
	if (!kern)
		return;
	bench_bpf__destroy(kern->skel);
	free(kern);
}

/* The sum of 16-bit words as they lie in memory, which is how the program adds to it. */
static uint64_t sum_words(const uint8_t *bytes, size_t len)
{
	uint64_t sum = 0;
	uint16_t word;

	for (size_t i = 0; i < len; i += sizeof(word)) {
		memcpy(&word, bytes + i, sizeof(word));
		sum += word;
	}
	return sum;
}

/* Flags [.], options [nop,nop,TS val 1 ecr 1,nop,nop,nop,nop,nop,nop,nop,nop], length 0 */
static void make_ack(uint8_t *frame)
{
	static const uint8_t options[FRAME_LEN - TCP_OPTIONS_OFFSET] = {
		1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1};

	frame[TCP_FLAGS_OFFSET] = 0x10;
	memcpy(frame + TCP_OPTIONS_OFFSET, options, sizeof(options));
}

int bench_kern_aim(struct bench_kern *kern, const struct bench_target *target)
{
	struct bench_bpf__bss *bss = kern->skel->bss;
	uint8_t pseudo[4] = {0, IPPROTO_TCP, 0, TCP_LEN};
	uint8_t frame[sizeof(bss->flood_frame)] = {0};

	if (!addr_is_v4(&target->remote.addr) || !addr_is_v4(&target->source))
		return -EAFNOSUPPORT;
	memcpy(frame, template, sizeof(template));
	memcpy(frame, target->remote_mac, 6);
	memcpy(frame + 6, target->local_mac, 6);
	memcpy(frame + L3_OFFSET + 16, target->remote.addr.bytes + 12, 4);
	bytes_put16(frame + L4_OFFSET + 2, target->remote.port);
	if (target->forges_acks)
		make_ack(frame);
	bss->flood_ack_step = target->forges_acks ? ACK_STEP : 0;
	memcpy(bss->flood_frame, frame, sizeof(frame));
	bss->flood_ip_sum = sum_words(frame + L3_OFFSET, 20);
	bss->flood_tcp_sum = sum_words(frame + L4_OFFSET, TCP_LEN) +
			     sum_words(frame + L3_OFFSET + 16, 4) +
			     sum_words(pseudo, sizeof(pseudo));
	bss->flood_prefix = bytes_get32(target->source.bytes + 12) & 0xffff0000;
	return 0;
}

int bench_kern_send(struct bench_kern *kern, uint32_t ifindex, uint32_t count)
{
	uint8_t frame[FRAME_LEN] = {0};
	struct xdp_md context = {.data_end = sizeof(frame), .ingress_ifindex = ifindex};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = sizeof(frame),
		    .ctx_in = &context, .ctx_size_in = sizeof(context), .repeat = (int)count,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = BENCH_KERN_BATCH);

	if (!count)
		return 0;
	return bpf_prog_test_run_opts(bpf_program__fd(kern->skel->progs.bench_send), &options);
}

int bench_kern_attach(struct bench_kern *kern, enum bench_program program, uint32_t ifindex,
		      bool is_generic)
{
	LIBBPF_OPTS(bpf_link_create_opts, options,
		    .flags = is_generic ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE);
	const struct bpf_program *const programs[] = {
		[BENCH_TAKE] = kern->skel->progs.bench_take,
		[BENCH_REFLECT] = kern->skel->progs.bench_reflect,
		[BENCH_SEND] = kern->skel->progs.bench_send,
	};

	return bpf_link_create(bpf_program__fd(programs[program]), (int)ifindex, BPF_XDP, &options);
}

void bench_kern_finish_handshakes(struct bench_kern *kern, bool is_on)
{
	__atomic_store_n(&kern->skel->bss->finishes_handshakes, is_on, __ATOMIC_RELAXED);
}

int bench_kern_read(struct bench_kern *kern, struct bench_seen *out)
{
	const int cpus = libbpf_num_possible_cpus();
	struct bench_seen *seen;
	__u32 zero = 0;
	int err;

	if (cpus < 0)
		return cpus;
	seen = calloc(cpus, sizeof(*seen));
	if (!seen)
		return -ENOMEM;
	err = bpf_map_lookup_elem(bpf_map__fd(kern->skel->maps.bench_counts), &zero, seen);
	*out = (struct bench_seen){0};
	for (int i = 0; !err && i < cpus; i++) {
		out->syn_ack += seen[i].syn_ack;
		out->reflected += seen[i].reflected;
		out->rst += seen[i].rst;
		out->other += seen[i].other;
	}
	free(seen);
	return err;
}
