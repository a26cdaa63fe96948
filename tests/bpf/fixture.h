/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the tests of the BPF programs have in common: a network namespace of the test's own, the loaded
 * programs, frames, and one run of a program over one frame.
 */
#ifndef NOLISTEN_TESTS_FIXTURE_H
#define NOLISTEN_TESTS_FIXTURE_H

#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "unit/cmocka_setup.h"

#include "bpf/spare.h"
#include "clock.h"
#include "kern.h"
#include "kern_private.h"
#include "segment.h"

#define FIXTURE_PORT 34567
#define FIXTURE_ETHERNET 14
#define FIXTURE_TAG 0xabcde123u
#define FIXTURE_FRAME_MAX 70000
#define FIXTURE_RESETS 1000 /* a second */
#define FIXTURE_LIFE_NS 3600000000000ull

#define V4_LOCAL "10.0.0.2:34567"
#define V4_REMOTE "10.0.0.1:50814"
#define V6_LOCAL "[fd00::2]:34567"
#define V6_REMOTE "[fd00::1]:50814"

struct frame {
	uint8_t bytes[FIXTURE_FRAME_MAX];
	size_t len;
};

/* The last record that came out of the ring. */
struct taken {
	struct nol_record record;
	uint8_t bytes[FIXTURE_FRAME_MAX];
};

static struct kern *kern;
static struct taken taken;

static inline void raise_loopback(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request))
		perror("lo");
	close(fd);
}

/* Into a network namespace that goes away with the process; false, and said so, without root. */
static inline bool fixture_enter(void)
{
	if (geteuid() || unshare(CLONE_NEWNET)) {
		printf("1..1\nok 1 # SKIP needs root, for BPF and a network namespace\n");
		return false;
	}
	raise_loopback();
	return true;
}

static inline struct kern_options fixture_options(void)
{
	return (struct kern_options){
		.ifname = "lo",
		.ifindex = 1,
		.has_link_header = true,
		.ring_size = 1 << 20,
		.max_flows = 16,
	};
}

static inline void fixture_answer(void)
{
	static struct port_set ports;
	struct prefix v4, v6;

	port_set_add(&ports, FIXTURE_PORT);
	kern_set_ports(kern, &ports);
	assert_true(prefix_parse("10.0.0.2", &v4) && prefix_parse("fd00::/64", &v6));
	assert_int_equal(kern_add_prefix(kern, &v4), 0);
	assert_int_equal(kern_add_prefix(kern, &v6), 0);
	kern_limit_resets(kern, FIXTURE_RESETS);
	kern_config(kern)->can_transmit = 1;
	/* A test may take longer than the heartbeat is good for, on a machine that stands still. */
	kern_config(kern)->heartbeat_ns = clock_monotonic_ns() + FIXTURE_LIFE_NS;
}

static inline void fixture_open(const struct kern_options *options)
{
	struct load_failure failure;
	char why[LOAD_TEXT_SIZE];
	int err = spare_open(&kern, options, &failure);

	if (err) {
		load_failure_format(&failure, why);
		print_message("%s\n%s", why, failure.log);
	}
	assert_int_equal(err, 0);
	fixture_answer();
}

static inline int fixture_setup(void **state)
{
	struct kern_options options = fixture_options();

	(void)state;
	fixture_open(&options);
	return 0;
}

static inline int fixture_teardown(void **state)
{
	(void)state;
	spare_keep(kern);
	kern = NULL;
	return 0;
}

#define fixture_test(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

static inline struct tuple tuple_of(const char *local, const char *remote)
{
	struct tuple tuple;

	assert_true(endpoint_parse(local, &tuple.local));
	assert_true(endpoint_parse(remote, &tuple.remote));
	return tuple;
}

static inline void frame_build(struct frame *frame, const struct segment *segment)
{
	bool is_v4 = addr_is_v4(&segment->tuple.local.addr);

	memset(frame, 0, sizeof(*frame));
	memcpy(frame->bytes, (uint8_t[]){2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1}, 12);
	memcpy(frame->bytes + 12, is_v4 ? "\x08\x00" : "\x86\xdd", 2);
	frame->len = segment_build(segment, frame->bytes + FIXTURE_ETHERNET,
				   FIXTURE_FRAME_MAX - FIXTURE_ETHERNET);
	assert_int_not_equal(frame->len, 0);
	frame->len += FIXTURE_ETHERNET;
}

static inline struct frame frame_from(const char *source, const char *destination, uint8_t flags)
{
	struct segment segment = {
		.tuple = tuple_of(source, destination),
		.seq = 1000,
		.flags = flags,
		.window = 500,
	};
	struct frame frame;

	frame_build(&frame, &segment);
	return frame;
}

/* Make room at an offset of the frame, for a tag or a header. */
static inline void frame_insert(struct frame *frame, size_t offset, const void *bytes, size_t len)
{
	memmove(frame->bytes + offset + len, frame->bytes + offset, frame->len - offset);
	memcpy(frame->bytes + offset, bytes, len);
	frame->len += len;
}

/* The l3 length field of an untagged frame, after its size has changed by this much. */
static inline void frame_grow_ip(struct frame *frame, int by)
{
	uint8_t *field = frame->bytes + (frame->bytes[12] == 8 ? 16 : 18);
	int len = (field[0] << 8 | field[1]) + by;

	field[0] = len >> 8;
	field[1] = len;
}

/* The program's verdict on the frame. skb: only for tc, may be NULL. */
static inline int run_program(const struct bpf_program *program, const struct frame *frame,
			      struct __sk_buff *skb)
{
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame->bytes, .data_size_in = frame->len,
		    .ctx_in = skb, .ctx_size_in = skb ? sizeof(*skb) : 0);

	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(program), &run), 0);
	return run.retval;
}

static inline int run_ingress(const struct frame *frame)
{
	return run_program(kern->skel->progs.nol_xdp_ingress, frame, NULL);
}

static inline int run_egress(const struct frame *frame, uint32_t mark)
{
	struct __sk_buff skb = {.mark = mark};

	return run_program(kern->skel->progs.nol_tc_egress, frame, &skb);
}

static inline void take(void *context, const struct nol_record *record, const uint8_t *bytes)
{
	(void)context;
	taken.record = *record;
	memcpy(taken.bytes, bytes, record->snap_len);
}

/* Exactly one record is in the ring, with this reason and the whole frame. */
static inline void assert_held(const struct frame *frame, enum nol_hold_reason reason)
{
	assert_int_equal(kern_ring_consume(kern_ring(kern, 0), 10, take, NULL), 1);
	assert_int_equal(taken.record.reason, reason);
	assert_int_equal(taken.record.frame_len, frame->len);
	assert_int_equal(taken.record.snap_len, frame->len);
	assert_memory_equal(taken.bytes, frame->bytes, frame->len);
}

static inline void assert_nothing_held(void)
{
	assert_int_equal(kern_ring_consume(kern_ring(kern, 0), 10, take, NULL), 0);
}

/* It belongs to nothing: it became its RST. */
static inline void assert_reset(const struct frame *frame)
{
	assert_int_equal(run_ingress(frame), XDP_TX);
	assert_nothing_held();
}

/* Since the programs were loaded, this counter has this value and no other has moved. */
static inline void assert_counters(size_t offset, __u64 value)
{
	struct nol_stats stats, expected = {};

	assert_int_equal(kern_stats_read(kern, &stats), 0);
	*(__u64 *)((char *)&expected + offset) = value;
	assert_memory_equal(&stats, &expected, sizeof(stats));
}

#define assert_only_counted(name) assert_counters(offsetof(struct nol_stats, name), 1)

static inline void add_flow(const char *local, const char *remote, enum nol_flow_state state)
{
	struct tuple tuple = tuple_of(local, remote);
	struct nol_flow flow = {.state = state, .method = NOL_METHOD_ENGINE};

	assert_int_equal(kern_flow_add(kern, &tuple, &flow), 0);
}

static inline struct nol_flow get_flow(const char *local, const char *remote)
{
	struct tuple tuple = tuple_of(local, remote);
	struct nol_flow flow = {};

	assert_int_equal(kern_flow_get(kern, &tuple, &flow), 0);
	return flow;
}

#endif
