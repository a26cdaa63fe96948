/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The flood as live frames of XDP (flood.bpf.c): some times what a packet socket can send, for a fraction of its CPU time. The
 * other end of the veth has to take frames (GRO), and spare0, an interface that leads nowhere, has to exist.
 */
#ifndef NOLISTEN_TESTS_FLOOD_LIVE_H
#define NOLISTEN_TESTS_FLOOD_LIVE_H

#include <linux/if_link.h>
#include <net/if.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

/* First what the skeleton needs. */
#include "tools/flood_frame.h"

#include "flood.skel.h"
#include "tools/tool.h"

#define LIVE_BATCH 64

struct live {
	struct flood_bpf *skel;
	uint32_t ifindex;
};

static void live_attach(const struct bpf_program *program, uint32_t ifindex, uint32_t flags)
{
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = flags);

	if (bpf_link_create(bpf_program__fd(program), (int)ifindex, BPF_XDP, &options) < 0)
		fail(bpf_program__name(program));
}

/* Each call would wait until the kernel has patched its dispatcher if flood_send were attached nowhere. */
static void live_open(struct live *live, const char *ifname, bool has_one_source)
{
	live->ifindex = if_nametoindex(ifname);
	live->skel = flood_bpf__open_and_load();
	if (!live->skel)
		fail("flood.bpf.c");
	live->skel->bss->has_one_source = has_one_source;
	live_attach(live->skel->progs.flood_take, live->ifindex, XDP_FLAGS_DRV_MODE);
	live_attach(live->skel->progs.flood_send, if_nametoindex("spare0"), XDP_FLAGS_SKB_MODE);
}

/* A signal is the end of the flood. */
static uint64_t live_send(struct live *live, uint64_t count)
{
	uint8_t frame[FLOOD_FRAME_MAX] = {0};
	struct xdp_md context = {.data_end = sizeof(frame), .ingress_ifindex = live->ifindex};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = sizeof(frame),
		    .ctx_in = &context, .ctx_size_in = sizeof(context), .repeat = (int)count,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = LIVE_BATCH);
	const int err =
		bpf_prog_test_run_opts(bpf_program__fd(live->skel->progs.flood_send), &options);

	if (err && err != -EINTR)
		fail("live frames");
	return count;
}

/* What has come back, of all processors. */
static struct flood_seen live_seen(const struct live *live)
{
	struct flood_seen seen[256] = {0}, sum = {0};

	if (libbpf_num_possible_cpus() > 256 ||
	    bpf_map_lookup_elem(bpf_map__fd(live->skel->maps.flood_seen), &(uint32_t){0}, seen))
		fail("flood_seen");
	for (size_t i = 0; i < 256; i++) {
		sum.syn_ack += seen[i].syn_ack;
		sum.rst += seen[i].rst;
		sum.other += seen[i].other;
	}
	return sum;
}

#endif
