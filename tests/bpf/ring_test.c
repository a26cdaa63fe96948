/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The ring: frames of every size class, what is lost and counted, and how it is read. */
#include <poll.h>

#include "fixture.h"

#define RING_SMALL 4096
/* Of frames up to 128 bytes, so many. */
#define RING_RECORDS ((int)(RING_SMALL / (8 + sizeof(struct nol_record) + 128)))

static uint8_t payload[65000];

/* A frame of exactly this length; beyond one IP packet it is padding that makes it. */
static struct frame frame_of_length(size_t len)
{
	size_t headers = FIXTURE_ETHERNET + 20 + 20;
	struct segment segment = {
		.tuple = tuple_of(V4_REMOTE, V4_LOCAL),
		.flags = TCP_ACK,
		.payload = payload,
		.payload_len = len - headers < sizeof(payload) ? len - headers : sizeof(payload),
	};
	struct frame frame;

	for (size_t i = 0; i < sizeof(payload); i++)
		payload[i] = i * 7 + i / 251;
	frame_build(&frame, &segment);
	frame.len = len;
	return frame;
}

static int setup_small(void **state)
{
	struct kern_options options = fixture_options();

	(void)state;
	options.ring_size = RING_SMALL;
	fixture_open(&options);
	return 0;
}

static void carries_frames_around_every_size_class(void **state)
{
	static const size_t edges[] = {128, 512, 2048, 16384, 60000};

	(void)state;
	for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++) {
		for (size_t len = edges[i] - 1; len <= edges[i] + 1; len++) {
			struct frame frame = frame_of_length(len);

			assert_int_equal(run_ingress(&frame), XDP_DROP);
			assert_held(&frame, NOL_HOLD_STRAY);
		}
	}
}

static void carries_the_longest_frame(void **state)
{
	struct frame frame = frame_of_length(NOL_RECORD_SNAP_MAX);

	(void)state;
	assert_int_equal(run_ingress(&frame), XDP_DROP);
	assert_held(&frame, NOL_HOLD_STRAY);
	assert_only_counted(held_stray);
}

static void drops_and_counts_a_frame_that_is_too_long(void **state)
{
	struct frame frame = frame_of_length(NOL_RECORD_SNAP_MAX + 1);

	(void)state;
	assert_int_equal(run_ingress(&frame), XDP_DROP);
	assert_nothing_held();
	assert_only_counted(lost_too_long);
}

static void syns_get_three_quarters_of_the_ring(void **state)
{
	struct frame frame = frame_from(V4_REMOTE, V4_LOCAL, TCP_SYN);
	struct nol_stats stats;
	int held;

	(void)state;
	for (int i = 0; i < 30; i++)
		assert_int_equal(run_ingress(&frame), XDP_DROP);
	assert_int_equal(kern_stats_read(kern, &stats), 0);
	held = kern_ring_consume(kern_ring(kern, 0), 100, take, NULL);
	assert_in_range(held, RING_RECORDS / 2, RING_RECORDS * 3 / 4 + 1);
	assert_int_equal(stats.held_syn, held);
	assert_int_equal(stats.lost_syn, 30 - held);
	assert_int_equal(stats.lost_ring_full, 0);

	/* Room again. */
	assert_int_equal(run_ingress(&frame), XDP_DROP);
	assert_held(&frame, NOL_HOLD_SYN);
}

static void a_lost_packet_is_not_counted_as_held_by_its_flow(void **state)
{
	struct frame frame = frame_from(V4_REMOTE, V4_LOCAL, TCP_ACK);
	int held;

	(void)state;
	add_flow(V4_LOCAL, V4_REMOTE, NOL_FLOW_SYN_RECEIVED);
	for (int i = 0; i < 30; i++)
		assert_int_equal(run_ingress(&frame), XDP_DROP);
	held = kern_ring_consume(kern_ring(kern, 0), 100, take, NULL);
	assert_in_range(held, RING_RECORDS - 1, RING_RECORDS);
	assert_int_equal(get_flow(V4_LOCAL, V4_REMOTE).held, held);
}

/* So many of it that no first flight is as long. */
#define MANY 128

static void fill_share(const struct frame *frame)
{
	for (int i = 0; i < RING_RECORDS; i++)
		assert_int_equal(run_ingress(frame), XDP_DROP);
}

static void what_is_held_of_a_flow_finds_room_behind_syns(void **state)
{
	struct frame syn = frame_from("10.0.0.1:50815", V4_LOCAL, TCP_SYN);
	struct frame ack = frame_from(V4_REMOTE, V4_LOCAL, TCP_ACK);

	(void)state;
	fill_share(&syn);
	add_flow(V4_LOCAL, V4_REMOTE, NOL_FLOW_SYN_RECEIVED);
	assert_int_equal(run_ingress(&ack), XDP_DROP);
	assert_int_equal(get_flow(V4_LOCAL, V4_REMOTE).held, 1);
}

static void a_flow_that_is_flooded_gets_half_of_the_ring(void **state)
{
	struct frame syn = frame_from("10.0.0.1:50815", V4_LOCAL, TCP_SYN);
	struct frame ack = frame_from(V4_REMOTE, V4_LOCAL, TCP_ACK);
	struct nol_stats stats;

	(void)state;
	add_flow(V4_LOCAL, V4_REMOTE, NOL_FLOW_SYN_RECEIVED);
	for (int i = 0; i < MANY; i++) {
		assert_int_equal(run_ingress(&ack), XDP_DROP);
		assert_held(&ack, NOL_HOLD_FLOW);
	}
	fill_share(&syn);
	assert_int_equal(run_ingress(&ack), XDP_DROP);
	assert_int_equal(get_flow(V4_LOCAL, V4_REMOTE).held, MANY);
	assert_int_equal(kern_stats_read(kern, &stats), 0);
	assert_int_equal(stats.lost_ring_full, 1);
}

static void gives_at_most_as_many_as_asked_for(void **state)
{
	struct frame frame = frame_from(V4_REMOTE, V4_LOCAL, TCP_SYN);

	(void)state;
	for (int i = 0; i < 5; i++)
		assert_int_equal(run_ingress(&frame), XDP_DROP);
	assert_int_equal(kern_ring_consume(kern_ring(kern, 0), 0, take, NULL), 0);
	assert_int_equal(kern_ring_consume(kern_ring(kern, 0), 2, take, NULL), 2);
	assert_int_equal(kern_ring_consume(kern_ring(kern, 0), 2, take, NULL), 2);
	assert_int_equal(kern_ring_consume(kern_ring(kern, 0), 2, take, NULL), 1);
	assert_int_equal(kern_ring_consume(kern_ring(kern, 0), 2, take, NULL), 0);
}

static void its_descriptor_is_readable_while_it_has_records(void **state)
{
	struct frame frame = frame_from(V4_REMOTE, V4_LOCAL, TCP_SYN);
	struct pollfd ring = {.fd = kern_ring_fd(kern_ring(kern, 0)), .events = POLLIN};

	(void)state;
	for (uint32_t spinning = 0; spinning < 2; spinning++) {
		kern_config(kern)->spinning[0] = spinning;
		assert_int_equal(poll(&ring, 1, 0), 0);
		assert_int_equal(run_ingress(&frame), XDP_DROP);
		assert_int_equal(poll(&ring, 1, 0), 1);
		assert_held(&frame, NOL_HOLD_SYN);
	}
}

#define WORKERS 4

static int setup_workers(void **state)
{
	struct kern_options options = fixture_options();

	(void)state;
	options.ring_size = 1 << 16;
	options.workers = WORKERS;
	fixture_open(&options);
	return 0;
}

/* The only ring that has records, and how many. */
static int take_from_one_ring(int *count)
{
	int found = -1;

	for (int i = 0; i < WORKERS; i++) {
		int taken_here = kern_ring_consume(kern_ring(kern, i), 100, take, NULL);

		assert_true(taken_here == 0 || found < 0);
		if (!taken_here)
			continue;
		found = i;
		*count = taken_here;
	}
	return found;
}

static void every_packet_of_a_flow_goes_into_the_same_ring(void **state)
{
	(void)state;
	for (int port = 40000; port < 40016; port++) {
		char remote[32];
		struct frame syn, ack;
		int count = 0;

		snprintf(remote, sizeof(remote), "10.0.0.1:%d", port);
		syn = frame_from(remote, V4_LOCAL, TCP_SYN);
		ack = frame_from(remote, V4_LOCAL, TCP_ACK);
		assert_int_equal(run_ingress(&syn), XDP_DROP);
		add_flow(V4_LOCAL, remote, NOL_FLOW_SYN_RECEIVED);
		assert_int_equal(run_ingress(&ack), XDP_DROP);
		assert_int_equal(run_ingress(&ack), XDP_DROP);
		assert_true(take_from_one_ring(&count) >= 0);
		assert_int_equal(count, 3);
	}
}

static void flows_are_spread_over_all_rings(void **state)
{
	int counts[WORKERS] = {0};

	(void)state;
	for (int port = 40000; port < 40400; port++) {
		char remote[32];
		struct frame syn;
		int count = 0;

		snprintf(remote, sizeof(remote), "[fd00::1]:%d", port);
		syn = frame_from(remote, V6_LOCAL, TCP_SYN);
		assert_int_equal(run_ingress(&syn), XDP_DROP);
		counts[take_from_one_ring(&count)]++;
	}
	for (int i = 0; i < WORKERS; i++)
		assert_in_range(counts[i], 40, 200);
}

static void a_polling_worker_does_not_keep_another_asleep(void **state)
{
	struct frame syn = frame_from(V4_REMOTE, V4_LOCAL, TCP_SYN);
	struct pollfd ring;
	int count, worker;

	(void)state;
	assert_int_equal(run_ingress(&syn), XDP_DROP);
	worker = take_from_one_ring(&count);
	memset(kern_config(kern)->spinning, 1, WORKERS);
	kern_config(kern)->spinning[worker] = 0;
	ring = (struct pollfd){.fd = kern_ring_fd(kern_ring(kern, worker)), .events = POLLIN};
	assert_int_equal(run_ingress(&syn), XDP_DROP);
	assert_int_equal(poll(&ring, 1, 0), 1);
	assert_int_equal(take_from_one_ring(&count), worker);
}

#define small_test(f) cmocka_unit_test_setup_teardown(f, setup_small, fixture_teardown)
#define workers_test(f) cmocka_unit_test_setup_teardown(f, setup_workers, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		workers_test(every_packet_of_a_flow_goes_into_the_same_ring),
		workers_test(flows_are_spread_over_all_rings),
		workers_test(a_polling_worker_does_not_keep_another_asleep),
		fixture_test(carries_frames_around_every_size_class),
		fixture_test(carries_the_longest_frame),
		fixture_test(drops_and_counts_a_frame_that_is_too_long),
		small_test(syns_get_three_quarters_of_the_ring),
		small_test(what_is_held_of_a_flow_finds_room_behind_syns),
		small_test(a_flow_that_is_flooded_gets_half_of_the_ring),
		small_test(a_lost_packet_is_not_counted_as_held_by_its_flow),
		fixture_test(gives_at_most_as_many_as_asked_for),
		fixture_test(its_descriptor_is_readable_while_it_has_records),
	};

	if (!fixture_enter())
		return 0;
	return cmocka_run_group_tests_name("ring", tests, NULL, NULL);
}
