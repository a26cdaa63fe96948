/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the targets that run the BPF programs have in common: the programs, loaded once into a network namespace of the
 * process's own, one run over one frame, and which counters it moved. The kernel gives libFuzzer no coverage; counters and
 * verdicts take its place.
 */
#ifndef NOLISTEN_FUZZ_BPF_WORLD_H
#define NOLISTEN_FUZZ_BPF_WORLD_H

#include <sys/mman.h>

#include "bpf/cookie_fixture.h"
#include "bytes.h"
#include "check.h"

#define WORLD_FRAME_MAX 4096
#define WORLD_STATS (sizeof(struct nol_stats) / sizeof(__u64))
#define WORLD_VERDICTS 8

/* libFuzzer looks at this section as if it were coverage. */
static uint8_t world_seen[WORLD_STATS * WORLD_VERDICTS]
	__attribute__((used, section("__libfuzzer_extra_counters")));

struct world_run {
	uint8_t bytes[WORLD_FRAME_MAX + 256]; /* of the frame behind the program */
	size_t len;
	int verdict;
	struct nol_stats moved; /* by how much */
	bool is_held;
	struct nol_record record;
	const uint8_t *held; /* record.snap_len bytes */
};

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* How far the ring has been read, as the kernel sees it. */
static unsigned long *world_consumed;

static inline void world_open(void)
{
	struct kern_options options = fixture_options();

	if (!fixture_enter())
		_exit(1);
	fixture_open(&options);
	cookie_enable(NOL_ANSWER_ALL);
	world_consumed = mmap(NULL, (size_t)sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE,
			      MAP_SHARED, kern_ring_fd(kern_ring(kern, 0)), 0);
	check(world_consumed != MAP_FAILED);
	*world_consumed -= 8;
}

/* Between runs the ring is 8 bytes short of read, or each record would send an interrupt to wake a reader that does not sleep. */
static inline void world_consume(kern_record_fn fn, struct world_run *run)
{
	*world_consumed += 8;
	kern_ring_consume(kern_ring(kern, 0), 2, fn, run);
	*world_consumed -= 8;
}

/* For as long as a target may run. */
static inline void world_beat(void)
{
	kern_config(kern)->heartbeat_ns = clock_monotonic_ns() + FIXTURE_LIFE_NS;
}

static inline void world_subtract(struct nol_stats *after, const struct nol_stats *before)
{
	__u64 *to = (__u64 *)after;
	const __u64 *from = (const __u64 *)before;

	for (size_t i = 0; i < WORLD_STATS; i++)
		to[i] -= from[i];
}

static inline void world_show(const struct world_run *run)
{
	const __u64 *moved = (const __u64 *)&run->moved;

	for (size_t i = 0; i < WORLD_STATS; i++)
		if (moved[i])
			world_seen[i * WORLD_VERDICTS + ((unsigned int)run->verdict & 7)] = 1;
}

static inline void world_take(void *context, const struct nol_record *record, const uint8_t *bytes)
{
	struct world_run *run = context;

	check(!run->is_held);
	run->is_held = true;
	run->record = *record;
	memcpy(taken.bytes, bytes, record->snap_len);
	run->held = taken.bytes;
}

/* The numbers that the last run has left are those from which the next one starts. */
static inline void world_count(struct world_run *run)
{
	static struct nol_stats last;
	struct nol_stats now;

	check(kern_stats_read(kern, &now) == 0);
	run->moved = now;
	world_subtract(&run->moved, &last);
	last = now;
}

/* False: the kernel runs no program over such a frame. skb: for tc only, else NULL. */
static inline bool world_run(const struct bpf_program *program, const uint8_t *frame, size_t len,
			     struct __sk_buff *skb, struct world_run *run)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = (__u32)len,
		    .data_out = run->bytes, .data_size_out = sizeof(run->bytes), .ctx_in = skb,
		    .ctx_size_in = skb ? sizeof(*skb) : 0);

	run->is_held = false;
	if (bpf_prog_test_run_opts(bpf_program__fd(program), &opts))
		return false;
	run->verdict = (int)opts.retval;
	run->len = opts.data_size_out;
	world_consume(world_take, run);
	world_count(run);
	world_show(run);
	return true;
}

static inline bool world_run_ingress(const uint8_t *frame, size_t len, struct world_run *run)
{
	return world_run(kern->skel->progs.nol_xdp_ingress, frame, len, NULL, run);
}

/* Where the IP header is: an EtherType of IP, with a tag of VLAN 0 in front of it at the most; 0: nowhere. */
static inline size_t world_find_l3(const uint8_t *frame, size_t len, bool *is_v4)
{
	size_t l3 = FIXTURE_ETHERNET;
	uint16_t type;

	if (len <= l3)
		return 0;
	type = bytes_get16(frame + 12);
	if (type == 0x8100 || type == 0x88a8) {
		l3 += 4;
		if (len <= l3 || bytes_get16(frame + 14) & 0xfff)
			return 0;
		type = bytes_get16(frame + 16);
	}
	if (type != 0x0800 && type != 0x86dd)
		return 0;
	*is_v4 = type == 0x0800;
	return frame[l3] >> 4 == (*is_v4 ? 4 : 6) ? l3 : 0;
}

/* Where TCP would be, however wrong the lengths in front of it are; 0: nowhere within the packet. */
static inline size_t world_find_l4(const uint8_t *packet, size_t len, bool is_v4)
{
	const size_t l4 = is_v4 ? (packet[0] & 0xfu) * 4u : 40;

	return l4 + 20 <= len ? l4 : 0;
}

static inline bool world_is_answered(const struct tuple *tuple)
{
	static struct prefix v4, v6;

	if (!v4.bits)
		check(prefix_parse("10.0.0.2", &v4) && prefix_parse("fd00::/64", &v6));
	return tuple->local.port == FIXTURE_PORT && (prefix_contains(&v4, &tuple->local.addr) ||
						     prefix_contains(&v6, &tuple->local.addr));
}

#endif
