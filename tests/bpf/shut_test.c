/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A tarpit's connections: answered from their entries, in XDP. */
#include "stray_fixture.h"

#define ISS 0x1000u
#define IRS 0x2000u

static int setup(void **state)
{
	struct kern_options options = fixture_options();

	(void)state;
	options.keeps_shut = true;
	fixture_open(&options);
	return 0;
}

#define shut_test(f) cmocka_unit_test_setup_teardown(f, setup, fixture_teardown)

static const char *const ends[][2] = {{V4_LOCAL, V4_REMOTE}, {V6_LOCAL, V6_REMOTE}};

/* One that may be answered at once. */
static void add_shut(const char *local, const char *remote)
{
	const struct tuple tuple = tuple_of(local, remote);
	const struct nol_flow flow = {
		.state = NOL_FLOW_SHUT,
		.held = nol_clock_ms(clock_monotonic_ns()) - 2 * NOL_SHUT_QUIET_MS,
		.shut = {ISS, IRS},
	};

	add_flow(local, remote, NOL_FLOW_SYN_RECEIVED);
	assert_int_equal(kern_flow_shut(kern, &tuple, &flow), 0);
}

static struct segment segment_of(const char *const pair[2], uint8_t flags, uint32_t seq)
{
	struct segment segment = stray_with(pair[0], pair[1], flags);

	segment.seq = seq;
	segment.ack = flags & TCP_ACK ? ISS + 1 : 0;
	return segment;
}

static int run_segment(const struct segment *segment, struct frame *frame, struct sent *sent)
{
	frame_build(frame, segment);
	return run_answer(frame, sent);
}

static void assert_answered(const struct segment *segment)
{
	struct segment expected = {
		.tuple = {.local = segment->tuple.remote, .remote = segment->tuple.local},
		.seq = ISS + 1,
		.ack = IRS + 1,
		.flags = TCP_ACK,
	};
	struct frame frame, answer;
	struct sent sent;

	assert_int_equal(run_segment(segment, &frame, &sent), XDP_TX);
	assert_nothing_held();
	frame_build(&answer, &expected);
	memcpy(answer.bytes, frame.bytes + 6, 6);
	memcpy(answer.bytes + 6, frame.bytes, 6);
	assert_int_equal(sent.len, answer.len);
	assert_memory_equal(sent.bytes, answer.bytes, answer.len);
}

static void assert_ignored(const struct segment *segment)
{
	const __u64 before = read_stats().shut_ignored;
	struct frame frame;
	struct sent sent;

	assert_int_equal(run_segment(segment, &frame, &sent), XDP_DROP);
	assert_nothing_held();
	assert_int_equal(read_stats().shut_ignored, before + 1);
}

static void assert_given_to_user_space(const struct segment *segment)
{
	struct frame frame;
	struct sent sent;

	assert_int_equal(run_segment(segment, &frame, &sent), XDP_DROP);
	assert_held(&frame, NOL_HOLD_FLOW);
}

static void answers_a_probe_of_each_kind(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct segment linux_probe = segment_of(ends[i], TCP_ACK, IRS);
		struct segment bsd_probe = segment_of(ends[i], TCP_ACK, IRS + 1);

		add_shut(ends[i][0], ends[i][1]);
		assert_answered(&linux_probe);
		kern_flow_remove(kern,
				 &(struct tuple){linux_probe.tuple.remote, linux_probe.tuple.local},
				 NULL);
		add_shut(ends[i][0], ends[i][1]);
		bsd_probe.payload = (const uint8_t *)"h";
		bsd_probe.payload_len = 1;
		assert_answered(&bsd_probe);
	}
	assert_counters(offsetof(struct nol_stats, shut_answered), 4);
}

static void answers_few_and_nothing_that_needs_none(void **state)
{
	const struct segment probe = segment_of(ends[0], TCP_ACK, IRS);
	const struct segment ack = segment_of(ends[0], TCP_ACK, IRS + 1);

	(void)state;
	add_shut(V4_LOCAL, V4_REMOTE);
	assert_ignored(&ack);
	assert_answered(&probe);
	assert_ignored(&probe);
}

static void notes_a_fin_and_does_not_take_it(void **state)
{
	const struct segment fin = segment_of(ends[1], TCP_ACK | TCP_FIN, IRS + 1);

	(void)state;
	add_shut(V6_LOCAL, V6_REMOTE);
	assert_answered(&fin);
	assert_int_equal(get_flow(V6_LOCAL, V6_REMOTE).state, NOL_FLOW_SHUT_FIN);
	assert_int_equal(get_flow(V6_LOCAL, V6_REMOTE).shut.irs, IRS);
}

static void a_syn_gets_an_ack(void **state)
{
	struct segment syn = segment_of(ends[0], TCP_SYN, 77);

	(void)state;
	syn.options = linux_options;
	add_shut(V4_LOCAL, V4_REMOTE);
	assert_answered(&syn);
}

static void the_rst_that_ends_it_is_user_spaces(void **state)
{
	const struct segment inexact = segment_of(ends[0], TCP_RST, IRS + 2);
	const struct segment exact = segment_of(ends[0], TCP_RST, IRS + 1);

	(void)state;
	add_shut(V4_LOCAL, V4_REMOTE);
	assert_ignored(&inexact);
	assert_int_equal(get_flow(V4_LOCAL, V4_REMOTE).state, NOL_FLOW_SHUT);
	assert_given_to_user_space(&exact);
}

/* It has been over for as long as it takes. */
static void and_what_the_ring_has_no_room_for_is_over_all_the_same(void **state)
{
	const struct segment rst = segment_of(ends[0], TCP_RST, IRS + 1);
	struct nol_flow flow;
	struct frame frame;
	struct sent sent;

	(void)state;
	add_shut(V4_LOCAL, V4_REMOTE);
	add_flow(V6_LOCAL, V6_REMOTE, NOL_FLOW_SYN_RECEIVED);
	frame = frame_from(V6_REMOTE, V6_LOCAL, TCP_ACK);
	while (!read_stats().lost_ring_full)
		run_answer(&frame, &sent);
	assert_int_equal(run_segment(&rst, &frame, &sent), XDP_DROP);
	assert_int_equal(read_stats().lost_ring_full, 2);
	flow = get_flow(V4_LOCAL, V4_REMOTE);
	assert_int_equal(flow.state, NOL_FLOW_SHUT_FIN);
	assert_true(nol_clock_ms(clock_monotonic_ns()) - flow.held >= NOL_SHUT_ENDED_MS);
}

static void so_is_more_than_a_probe_has(void **state)
{
	struct segment data = segment_of(ends[0], TCP_ACK | TCP_PSH, IRS + 1);

	(void)state;
	data.payload = (const uint8_t *)"hello";
	data.payload_len = 5;
	add_shut(V4_LOCAL, V4_REMOTE);
	assert_given_to_user_space(&data);
}

static void and_everything_while_replies_may_not_arrive(void **state)
{
	const struct segment probe = segment_of(ends[0], TCP_ACK, IRS);

	(void)state;
	kern_config(kern)->can_transmit = 0;
	add_shut(V4_LOCAL, V4_REMOTE);
	assert_given_to_user_space(&probe);
}

static void a_bad_checksum_gets_no_answer(void **state)
{
	const struct segment probe = segment_of(ends[0], TCP_ACK, IRS);
	struct frame frame;

	(void)state;
	add_shut(V4_LOCAL, V4_REMOTE);
	frame_build(&frame, &probe);
	frame.bytes[frame.len - 1] ^= 1; /* of the urgent pointer */
	assert_int_equal(run_ingress(&frame), XDP_DROP);
	assert_only_counted(shut_ignored);
}

static uint32_t cookie_of(const struct tuple *tuple)
{
	return cookie_expected(tuple, IRS, COOKIE_SLOT,
			       cookie_code(tuple, 1460, NOL_COOKIE_NO_WSCALE, false));
}

/* Its final ACK was lost: what comes of it is Linux's probe, whose SEQ is the ISN itself. */
static void a_probe_brings_a_cookie_back(void **state)
{
	const struct tuple tuple = tuple_of(V4_LOCAL, V4_REMOTE);
	struct segment probe = segment_of(ends[0], TCP_ACK, IRS);
	struct frame frame;
	struct sent sent;

	(void)state;
	cookie_enable(NOL_ANSWER_PLAIN);
	probe.ack = cookie_of(&tuple) + 1;
	assert_int_equal(run_segment(&probe, &frame, &sent), XDP_DROP);
	assert_held(&frame, NOL_HOLD_COOKIE);
	assert_int_equal(taken.record.terms.options, NOL_TERM_PROBE);
	assert_int_equal(get_flow(V4_LOCAL, V4_REMOTE).state, NOL_FLOW_SYN_RECEIVED);
}

/* Whichever of the two brought it: it is good for one connection. */
static void a_cookie_of_a_connection_that_is_over_begins_no_other(void **state)
{
	const struct tuple tuple = tuple_of(V4_LOCAL, V4_REMOTE);
	const struct nol_flow flow = {.state = NOL_FLOW_SHUT, .shut = {ISS, IRS}};

	(void)state;
	for (uint32_t first = 0; first < 2; first++) {
		struct segment ack = segment_of(ends[0], TCP_ACK, IRS + first);
		struct frame frame;
		struct sent sent;

		cookie_enable(NOL_ANSWER_PLAIN);
		spare_forget_cookies(kern);
		ack.ack = cookie_of(&tuple) + 1;
		assert_int_equal(run_segment(&ack, &frame, &sent), XDP_DROP);
		assert_held(&frame, NOL_HOLD_COOKIE);
		assert_int_equal(kern_flow_shut(kern, &tuple, &flow), 0);
		assert_int_equal(kern_flow_remove(kern, &tuple, NULL), 0);
		ack.seq = IRS + !first;
		assert_int_equal(run_segment(&ack, &frame, &sent), XDP_TX);
		assert_true(parse_sent(&sent).flags & TCP_RST);
	}
	assert_int_equal(read_stats().cookie_used, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		shut_test(answers_a_probe_of_each_kind),
		shut_test(answers_few_and_nothing_that_needs_none),
		shut_test(notes_a_fin_and_does_not_take_it),
		shut_test(a_syn_gets_an_ack),
		shut_test(the_rst_that_ends_it_is_user_spaces),
		shut_test(and_what_the_ring_has_no_room_for_is_over_all_the_same),
		shut_test(so_is_more_than_a_probe_has),
		shut_test(and_everything_while_replies_may_not_arrive),
		shut_test(a_bad_checksum_gets_no_answer),
		shut_test(a_probe_brings_a_cookie_back),
		shut_test(a_cookie_of_a_connection_that_is_over_begins_no_other),
	};

	if (!fixture_enter())
		return 0;
	return cmocka_run_group_tests_name("shut", tests, NULL, NULL);
}
