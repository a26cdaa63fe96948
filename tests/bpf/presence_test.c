/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What ingress does while there is no loader, or one that has not settled yet (--pin). */
#include "fixture.h"

#define V4_OTHER "10.0.0.1:50815"
#define MINUTE_NS (60 * CLOCK_NS_PER_S)

static void fall_silent(uint64_t for_ns)
{
	kern_config(kern)->keep_ns = MINUTE_NS;
	kern_config(kern)->heartbeat_ns = clock_monotonic_ns() - for_ns;
}

static void drops_a_syn_that_only_a_loader_can_answer(void **state)
{
	struct frame frame = frame_from(V4_REMOTE, V4_LOCAL, TCP_SYN);

	(void)state;
	kern_config(kern)->presence = NOL_AWAY;
	assert_int_equal(run_ingress(&frame), XDP_DROP);
	assert_nothing_held();
	assert_only_counted(lost_away);
}

static void takes_a_loader_that_is_silent_for_one_that_is_away(void **state)
{
	struct frame frame = frame_from(V4_REMOTE, V4_LOCAL, TCP_SYN);

	(void)state;
	fall_silent(NOL_HEARTBEAT_STALE_NS + CLOCK_NS_PER_S);
	assert_int_equal(run_ingress(&frame), XDP_DROP);
	assert_nothing_held();
	assert_only_counted(lost_away);
}

static void passes_everything_once_its_time_is_over(void **state)
{
	struct frame frame = frame_from(V4_REMOTE, V4_LOCAL, TCP_SYN);

	(void)state;
	fall_silent(MINUTE_NS + CLOCK_NS_PER_S);
	assert_int_equal(run_ingress(&frame), XDP_PASS);
	assert_only_counted(ingress_stale);
}

static void drops_what_may_be_of_a_flow_that_waits(void **state)
{
	struct frame frame = frame_from(V4_REMOTE, V4_LOCAL, TCP_ACK);

	(void)state;
	kern_config(kern)->presence = NOL_TAKING_OVER;
	assert_int_equal(run_ingress(&frame), XDP_DROP);
	assert_nothing_held();
	assert_only_counted(lost_away);
}

static void holds_what_belongs_to_a_flow(void **state)
{
	struct frame frame = frame_from(V4_REMOTE, V4_LOCAL, TCP_ACK);

	(void)state;
	add_flow(V4_LOCAL, V4_REMOTE, NOL_FLOW_SYN_RECEIVED);
	kern_config(kern)->presence = NOL_AWAY;
	assert_int_equal(run_ingress(&frame), XDP_DROP);
	assert_held(&frame, NOL_HOLD_FLOW);
	assert_only_counted(held_flow);
}

/* What a frame of the last load comes to in this one. */
static void runs_a_frame_that_has_waited(void **state)
{
	struct frame frame = frame_from(V4_REMOTE, V4_LOCAL, TCP_SYN);
	struct frame of_kernel = frame_from(V4_OTHER, V4_LOCAL, TCP_ACK);
	struct kern_rerun rerun;

	(void)state;
	assert_int_equal(kern_rerun(kern, frame.bytes, frame.len, &rerun), 0);
	assert_false(rerun.is_passed);
	assert_int_equal(rerun.answer_len, 0);
	assert_held(&frame, NOL_HOLD_SYN);
	add_flow(V4_LOCAL, V4_OTHER, NOL_FLOW_HANDED_OFF);
	assert_int_equal(kern_rerun(kern, of_kernel.bytes, of_kernel.len, &rerun), 0);
	assert_true(rerun.is_passed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(drops_a_syn_that_only_a_loader_can_answer),
		fixture_test(takes_a_loader_that_is_silent_for_one_that_is_away),
		fixture_test(passes_everything_once_its_time_is_over),
		fixture_test(drops_what_may_be_of_a_flow_that_waits),
		fixture_test(holds_what_belongs_to_a_flow),
		fixture_test(runs_a_frame_that_has_waited),
	};

	if (!fixture_enter())
		return 0;
	return cmocka_run_group_tests_name("presence", tests, NULL, NULL);
}
