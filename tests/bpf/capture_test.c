/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copies of packets whose fate the programs decide: which there are, what they say, and that the verdicts stay what they are. */
#include "answer_fixture.h"

#define ALL_VERDICTS ((1u << NOL_CAPTURE_VERDICTS) - 1)
#define RING_SIZE (64u << 10)
#define DROPPED 2 /* TC_ACT_SHOT */
#define COPIES_MAX 16

/* What came out of nol_pcap, in order. */
static struct {
	struct nol_capture capture;
	uint8_t bytes[NOL_CAPTURE_SNAP_MAX];
} copies[COPIES_MAX];
static size_t copy_count;

static void keep_copy(void *context, const struct nol_capture *capture, const uint8_t *frame)
{
	(void)context;
	assert_in_range(copy_count, 0, COPIES_MAX - 1);
	assert_in_range(capture->snap_len, 0, NOL_CAPTURE_SNAP_MAX);
	copies[copy_count].capture = *capture;
	memcpy(copies[copy_count++].bytes, frame, capture->snap_len);
}

static void take_copies(void)
{
	copy_count = 0;
	assert_true(kern_capture_take(kern, COPIES_MAX, keep_copy, NULL) >= 0);
}

static int open_with(uint32_t captures, void (*change)(struct kern_options *options))
{
	struct kern_options options = fixture_options();

	options.captures = captures;
	options.capture_size = RING_SIZE;
	if (change)
		change(&options);
	fixture_open(&options);
	cookie_enable(NOL_ANSWER_ALL);
	return 0;
}

static int capture_setup(void **state)
{
	(void)state;
	return open_with(ALL_VERDICTS, NULL);
}

#define capture_test(f) cmocka_unit_test_setup_teardown(f, capture_setup, fixture_teardown)

/* The n-th copy: all of the frame, and this fate. */
static void assert_copy(size_t n, const void *bytes, size_t len, enum nol_capture_verdict verdict,
			size_t reason, bool is_outgoing)
{
	const struct nol_capture *capture = &copies[n].capture;

	assert_in_range(n, 0, copy_count - 1);
	assert_int_equal(capture->verdict, verdict);
	assert_int_equal(capture->reason, reason);
	assert_int_equal(capture->is_outgoing, is_outgoing);
	assert_int_equal(capture->is_l3, 0);
	assert_int_equal(capture->frame_len, len);
	assert_int_equal(capture->snap_len, len);
	assert_memory_equal(copies[n].bytes, bytes, len);
	assert_in_range(clock_monotonic_ns() - capture->taken_ns, 0, 10 * CLOCK_NS_PER_S);
}

#define ASSERT_ONE(frame, verdict, name, is_outgoing)                               \
	do {                                                                        \
		take_copies();                                                      \
		assert_int_equal(copy_count, 1);                                    \
		assert_copy(0, (frame)->bytes, (frame)->len, NOL_CAPTURE_##verdict, \
			    NOL_CAPTURE_REASON(name), is_outgoing);                 \
	} while (0)

/* The SYN as it came, then what was made of it. */
static void assert_answer_copied(const char *local, const char *remote, struct tcp_options options)
{
	struct segment syn = syn_with(local, remote, options);
	struct frame frame;
	struct sent sent;

	frame_build(&frame, &syn);
	assert_int_equal(run_answer(&frame, &sent), XDP_TX);
	take_copies();
	assert_int_equal(copy_count, 2);
	assert_copy(0, frame.bytes, frame.len, NOL_CAPTURE_ANSWERED,
		    NOL_CAPTURE_REASON(cookie_sent), false);
	assert_copy(1, sent.bytes, sent.len, NOL_CAPTURE_SENT, NOL_CAPTURE_REASON(cookie_sent),
		    true);
	assert_int_equal(parse_sent(&sent).flags, TCP_SYN | TCP_ACK);
}

static void a_syn_and_its_answer_are_copied(void **state)
{
	(void)state;
	assert_answer_copied(V4_LOCAL, V4_REMOTE, linux_options);
	assert_answer_copied(V6_LOCAL, V6_REMOTE, linux_options);
	/* Those that get longer and shorter. */
	assert_answer_copied(V4_LOCAL, V4_REMOTE, (struct tcp_options){0});
	assert_answer_copied(V6_LOCAL, V6_REMOTE,
			     (struct tcp_options){.has_mss = true, .mss = 1300});
}

/* What user space gets anyway it copies by itself. */
static void what_is_held_is_not_copied(void **state)
{
	struct frame frame = frame_from(V4_REMOTE, V4_LOCAL, TCP_SYN);

	(void)state;
	cookie_enable(NOL_ANSWER_NONE);
	assert_int_equal(run_ingress(&frame), XDP_DROP);
	assert_held(&frame, NOL_HOLD_SYN);
	take_copies();
	assert_int_equal(copy_count, 0);
}

static void a_stray_and_its_rst_are_copied(void **state)
{
	struct frame frame = frame_from(V4_REMOTE, V4_LOCAL, TCP_ACK);

	(void)state;
	assert_reset(&frame);
	take_copies();
	assert_int_equal(copy_count, 2);
	assert_copy(0, frame.bytes, frame.len, NOL_CAPTURE_ANSWERED,
		    NOL_CAPTURE_REASON(stray_answered), false);
	assert_int_equal(copies[1].capture.verdict, NOL_CAPTURE_SENT);
	assert_int_equal(copies[1].capture.is_outgoing, 1);
	assert_int_equal(copies[1].bytes[FIXTURE_ETHERNET + 20 + 13], TCP_RST);
}

static void a_rst_that_nobody_waits_for_is_dropped(void **state)
{
	struct frame frame = frame_from(V6_REMOTE, V6_LOCAL, TCP_RST);

	(void)state;
	assert_int_equal(run_ingress(&frame), XDP_DROP);
	ASSERT_ONE(&frame, DROPPED, stray_reset, false);
	frame = frame_from(V4_REMOTE, V4_LOCAL, TCP_FIN);
	assert_int_equal(run_ingress(&frame), XDP_DROP);
	ASSERT_ONE(&frame, DROPPED, stray_ignored, false);
}

static void strays_beyond_the_limit_are_dropped(void **state)
{
	struct frame frame = frame_from(V4_REMOTE, V4_LOCAL, TCP_ACK);

	(void)state;
	kern_limit_resets(kern, 0);
	assert_int_equal(run_ingress(&frame), XDP_DROP);
	ASSERT_ONE(&frame, DROPPED, stray_limited, false);
}

static void a_rst_of_the_kernel_is_dropped_on_its_way_out(void **state)
{
	struct frame frame = frame_from(V4_LOCAL, V4_REMOTE, TCP_RST | TCP_ACK);

	(void)state;
	assert_int_equal(run_egress(&frame, 0), DROPPED);
	ASSERT_ONE(&frame, DROPPED, rst_dropped, true);
}

static void what_the_kernel_gets_is_copied_if_asked_for(void **state)
{
	struct frame frame = frame_from(V4_REMOTE, V4_LOCAL, TCP_ACK);
	struct frame elsewhere = frame_from(V4_REMOTE, "10.0.0.9:34567", TCP_SYN);
	struct frame other_port = frame_from(V4_REMOTE, "10.0.0.2:34568", TCP_SYN);

	(void)state;
	add_flow(V4_LOCAL, V4_REMOTE, NOL_FLOW_HANDED_OFF);
	assert_int_equal(run_ingress(&frame), XDP_PASS);
	ASSERT_ONE(&frame, PASSED, ingress_handed_off, false);
	assert_int_equal(run_ingress(&elsewhere), XDP_PASS);
	ASSERT_ONE(&elsewhere, PASSED, ingress_not_answered, false);
	assert_int_equal(run_ingress(&other_port), XDP_PASS);
	take_copies();
	assert_int_equal(copy_count, 0);
}

static int drops_setup(void **state)
{
	(void)state;
	return open_with(NOL_CAPTURE_BIT(DROPPED), NULL);
}

static void only_what_is_asked_for_is_copied(void **state)
{
	struct segment syn = syn_with(V4_LOCAL, V4_REMOTE, linux_options);
	struct frame frame = frame_from(V4_REMOTE, V4_LOCAL, TCP_ACK);

	(void)state;
	answer_to(&syn);
	assert_reset(&frame);
	add_flow(V4_LOCAL, V4_REMOTE, NOL_FLOW_HANDED_OFF);
	assert_int_equal(run_ingress(&frame), XDP_PASS);
	take_copies();
	assert_int_equal(copy_count, 0);
	frame = frame_from("10.0.0.1:50815", V4_LOCAL, TCP_RST);
	assert_int_equal(run_ingress(&frame), XDP_DROP);
	ASSERT_ONE(&frame, DROPPED, stray_reset, false);
}

/* The headers are enough of a long one. */
static void long_packets_are_cut(void **state)
{
	static uint8_t payload[4000];
	const struct segment segment = {
		.tuple = tuple_of(V4_REMOTE, V4_LOCAL),
		.flags = TCP_RST,
		.payload = payload,
		.payload_len = sizeof(payload),
	};
	struct frame frame;

	(void)state;
	/* A frame of one page: more needs a program that may be given parts. */
	for (size_t len = 100; len <= 3000; len += 290) {
		struct segment shorter = segment;

		shorter.payload_len = (uint32_t)len;
		frame_build(&frame, &shorter);
		assert_int_equal(run_ingress(&frame), XDP_DROP);
		take_copies();
		assert_int_equal(copy_count, 1);
		assert_int_equal(copies[0].capture.frame_len, frame.len);
		assert_int_equal(copies[0].capture.snap_len, frame.len < NOL_CAPTURE_SNAP_MAX
								     ? frame.len
								     : NOL_CAPTURE_SNAP_MAX);
		assert_memory_equal(copies[0].bytes, frame.bytes, copies[0].capture.snap_len);
	}
}

static uint32_t answered_until(uint32_t count)
{
	struct segment syn = syn_with(V4_LOCAL, V4_REMOTE, linux_options);

	for (uint32_t i = 0; i < count; i++)
		answer_to(&syn);
	return count;
}

/* Nobody reads: each SYN is answered all the same, and each copy that is not there is counted. */
static void a_full_ring_loses_copies_and_nothing_else(void **state)
{
	const uint32_t answered = answered_until(RING_SIZE / 128);
	struct nol_stats stats;
	uint32_t seen = 0;

	(void)state;
	for (;;) {
		take_copies();
		if (!copy_count)
			break;
		seen += (uint32_t)copy_count;
	}
	assert_int_equal(kern_stats_read(kern, &stats), 0);
	assert_int_equal(stats.cookie_sent, answered);
	assert_true(stats.capture_lost > 0);
	assert_int_equal(seen + stats.capture_lost, 2 * answered);
}

static void without_link_header(struct kern_options *options)
{
	options->has_link_header = false;
}

static int l3_setup(void **state)
{
	(void)state;
	return open_with(ALL_VERDICTS, without_link_header);
}

static void packets_of_an_l3_device_begin_with_the_ip_header(void **state)
{
	struct frame frame = frame_from(V6_REMOTE, V6_LOCAL, TCP_RST);

	(void)state;
	frame.len -= FIXTURE_ETHERNET;
	memmove(frame.bytes, frame.bytes + FIXTURE_ETHERNET, frame.len);
	assert_int_equal(run_ingress(&frame), XDP_DROP);
	take_copies();
	assert_int_equal(copy_count, 1);
	assert_int_equal(copies[0].capture.is_l3, 1);
	assert_int_equal(copies[0].capture.snap_len, frame.len);
	assert_memory_equal(copies[0].bytes, frame.bytes, frame.len);
}

static void without_captures_there_is_no_ring(void **state)
{
	struct kern_options options = fixture_options();

	(void)state;
	fixture_open(&options);
	assert_int_equal(kern_capture_fd(kern), -1);
	assert_int_equal(bpf_map__fd(kern->skel->maps.nol_pcap), -1);
	assert_int_equal(kern_capture_take(kern, 10, keep_copy, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		capture_test(a_syn_and_its_answer_are_copied),
		capture_test(what_is_held_is_not_copied),
		capture_test(a_stray_and_its_rst_are_copied),
		capture_test(a_rst_that_nobody_waits_for_is_dropped),
		capture_test(strays_beyond_the_limit_are_dropped),
		capture_test(a_rst_of_the_kernel_is_dropped_on_its_way_out),
		capture_test(what_the_kernel_gets_is_copied_if_asked_for),
		capture_test(long_packets_are_cut),
		capture_test(a_full_ring_loses_copies_and_nothing_else),
		cmocka_unit_test_setup_teardown(only_what_is_asked_for_is_copied, drops_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(packets_of_an_l3_device_begin_with_the_ip_header,
						l3_setup, fixture_teardown),
		cmocka_unit_test_teardown(without_captures_there_is_no_ring, fixture_teardown),
	};

	if (!fixture_enter())
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
