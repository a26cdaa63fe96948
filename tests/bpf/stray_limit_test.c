/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How many strays are answered, how many user space is given, and when it is given them all. */
#include "stray_fixture.h"

#define RING_SMALL 4096

/* Whatever the time is, in this test there is no token more. */
static void empty(struct nol_limit *limit)
{
	limit->paid_ns = clock_monotonic_ns() + FIXTURE_LIFE_NS;
}

static struct frame data_from(const char *remote)
{
	struct segment stray = stray_with(V4_LOCAL, remote, TCP_ACK);
	struct frame frame;

	stray.payload = (const uint8_t *)"request";
	stray.payload_len = 7;
	frame_build(&frame, &stray);
	return frame;
}

static void drops_what_user_space_has_left_no_token_for(void **state)
{
	const __u64 later_ns = clock_monotonic_ns() + FIXTURE_LIFE_NS;
	struct nol_limit *limit = kern_limit_resets(kern, 2);
	struct frame frame = frame_from(V4_REMOTE, V4_LOCAL, TCP_ACK);

	(void)state;
	assert_true(nol_limit_take(limit, later_ns));
	assert_true(nol_limit_take(limit, later_ns));
	assert_int_equal(run_ingress(&frame), XDP_DROP);
	assert_nothing_held();
	assert_only_counted(stray_limited);
}

static void leaves_user_space_the_tokens_that_it_has_not_taken(void **state)
{
	struct nol_limit *limit = kern_limit_resets(kern, 10);
	struct frame frame = frame_from(V4_REMOTE, V4_LOCAL, TCP_ACK);
	uint32_t left = 0;
	__u64 taken_ns;

	(void)state;
	assert_reset(&frame);
	taken_ns = limit->paid_ns - limit->interval_ns;
	while (nol_limit_take(limit, taken_ns))
		left++;
	assert_int_equal(left, 9);
}

static void answers_nothing_where_no_resets_are_allowed(void **state)
{
	struct frame frame = frame_from(V4_REMOTE, V4_LOCAL, TCP_ACK);

	(void)state;
	kern_limit_resets(kern, 0);
	assert_int_equal(run_ingress(&frame), XDP_DROP);
	assert_only_counted(stray_limited);
}

static void holds_no_stray_for_which_there_is_no_token(void **state)
{
	struct frame frame = data_from(V4_REMOTE);

	(void)state;
	empty(kern_limit_resets(kern, 1));
	assert_int_equal(run_ingress(&frame), XDP_DROP);
	assert_nothing_held();
	assert_only_counted(stray_limited);
}

static void holds_no_more_strays_than_so_many_a_second(void **state)
{
	struct frame frame = data_from(V4_REMOTE);

	(void)state;
	assert_left_to_user_space(&frame);
	empty(&kern->skel->bss->nol_strays);
	assert_int_equal(run_ingress(&frame), XDP_DROP);
	assert_nothing_held();
	assert_int_equal(read_stats().lost_stray, 1);
}

static int setup_small(void **state)
{
	struct kern_options options = fixture_options();

	(void)state;
	options.ring_size = RING_SMALL;
	fixture_open(&options);
	return 0;
}

static void strays_get_half_of_the_ring(void **state)
{
	struct frame frame = data_from(V4_REMOTE),
		     ack = frame_from("10.0.0.1:1", V4_LOCAL, TCP_ACK);
	struct nol_stats stats;

	(void)state;
	add_flow(V4_LOCAL, "10.0.0.1:1", NOL_FLOW_SYN_RECEIVED);
	for (int i = 0; i < 30; i++)
		assert_int_equal(run_ingress(&frame), XDP_DROP);
	assert_int_equal(run_ingress(&ack), XDP_DROP);
	stats = read_stats();
	assert_int_equal(stats.held_stray + stats.lost_stray, 30);
	assert_in_range(stats.held_stray, 1, 15);
	assert_int_equal(stats.held_flow, 1);
}

/* A SYN with a FIN opens nothing, but its flow is still there: that is no way round the limit. */
static void holds_no_more_of_them_in_the_grace_of_a_flow(void **state)
{
	struct frame frame = frame_from(V4_REMOTE, V4_LOCAL, TCP_SYN | TCP_FIN);

	(void)state;
	add_flow(V4_LOCAL, V4_REMOTE, NOL_FLOW_CLOSED);
	assert_left_to_user_space(&frame);
	empty(&kern->skel->bss->nol_strays);
	assert_int_equal(run_ingress(&frame), XDP_DROP);
	assert_nothing_held();
	assert_int_equal(read_stats().lost_stray, 1);
}

/* As if the table had had no room a moment ago: such a flow is user space's alone. */
static void leaves_all_to_user_space_after_the_table_was_full(void **state)
{
	struct frame ack = frame_from(V4_REMOTE, V4_LOCAL, TCP_ACK);
	struct frame reset = frame_from(V4_REMOTE, V4_LOCAL, TCP_RST);

	(void)state;
	kern->skel->bss->nol_overflow_ns = clock_monotonic_ns() + FIXTURE_LIFE_NS;
	assert_left_to_user_space(&ack);
	assert_left_to_user_space(&reset);
	kern->skel->bss->nol_overflow_ns = clock_monotonic_ns() - 10 * CLOCK_NS_PER_S;
	assert_reset(&ack);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(drops_what_user_space_has_left_no_token_for),
		fixture_test(leaves_user_space_the_tokens_that_it_has_not_taken),
		fixture_test(answers_nothing_where_no_resets_are_allowed),
		fixture_test(holds_no_stray_for_which_there_is_no_token),
		fixture_test(holds_no_more_strays_than_so_many_a_second),
		fixture_test(holds_no_more_of_them_in_the_grace_of_a_flow),
		fixture_test(leaves_all_to_user_space_after_the_table_was_full),
		cmocka_unit_test_setup_teardown(strays_get_half_of_the_ring, setup_small,
						fixture_teardown),
	};

	if (!fixture_enter())
		return 0;
	return cmocka_run_group_tests_name("stray_limit", tests, NULL, NULL);
}
