/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Two sessions in turn, each with its wire and loop, and one flow table and one closing for both. */
#include "session_fixture.h"

static int set_up_two(void **state)
{
	set_up(state);
	open_worker(1);
	return 0;
}

static void bring_to(unsigned int worker)
{
	to = worker;
}

static void run_both(void)
{
	run_round(0);
	run_round(1);
}

static void a_flow_touches_only_the_session_that_gets_its_packets(void **state)
{
	(void)state;
	bring_to(0);
	syn_in(2000);
	bring_to(1);
	syn_in(2001);
	run_both();
	assert_int_equal(session_half_open(workers[0].session), 1);
	assert_int_equal(session_half_open(workers[1].session), 1);
	assert_int_equal(workers[0].wire.sent[0].flags, TCP_SYN | TCP_ACK);
	assert_int_equal(workers[0].wire.sent[1].flags, 0);
	assert_int_equal(workers[1].wire.sent[1].flags, TCP_SYN | TCP_ACK);
	bring_to(0);
	ack_in(2000);
	run_both();
	assert_int_equal(service_active(workers[0].service), 1);
	assert_int_equal(service_active(workers[1].service), 0);
	assert_int_equal(session_half_open(workers[1].session), 1);
	assert_int_equal(flow_of(2001)->flow.state, NOL_FLOW_SYN_RECEIVED);
	assert_int_equal(workers[1].events.counts[EVENT_ESTABLISHED], 0);
}

static void one_session_s_hand_off_does_not_wait_for_the_other_s(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		bring_to(i);
		syn_in(FIRST_PORT + i);
		run_round(i);
		ack_in(FIRST_PORT + i);
	}
	forget_notes();
	flow_of(2000)->flow.held++;
	run_both();
	EXPECT_NOTES(2000, "<established>, take, replay ., hand_off 1: EAGAIN");
	EXPECT_NOTES(2001, "<established>, take, replay ., hand_off 1, <handed_off>");
	flow_of(2000)->flow.held--;
	run_both();
	EXPECT_NOTES(2000, "hand_off 1, <handed_off>");
}

static void one_session_s_graces_make_room_for_the_other_s_flows(void **state)
{
	(void)state;
	table.size = 1;
	bring_to(0);
	connect_remote(2000);
	word_in(2000);
	run_loop();
	bring_to(1);
	syn_in(2001);
	run_both();
	EXPECT_NOTES(2001, "open: E2BIG, open, <syn>, send S.");
	assert_null(flow_of(2000));
}

static void the_session_that_replaces_a_flow_tells_of_its_end(void **state)
{
	(void)state;
	bring_to(0);
	connect_remote(2000);
	bring_to(1);
	syn_in(2000);
	run_both();
	assert_int_equal(workers[0].events.counts[EVENT_CLOSED], 0);
	assert_int_equal(workers[1].events.counts[EVENT_CLOSED], 1);
	assert_int_equal(closing_count(closing), 1);
}

/* The ring of a flow's packets may be another one after its hand-off. */
static void a_stray_is_replayed_by_whichever_session_gets_it(void **state)
{
	(void)state;
	bring_to(0);
	connect_remote(2000);
	bring_to(1);
	data_in(2000, 4);
	run_both();
	EXPECT_NOTES(2000, "replay P.4");
	assert_int_equal(workers[1].wire.replayed, 1);
}

static void counters_add_up(void **state)
{
	struct session_stats sum = {0};

	(void)state;
	for (uint16_t port = 2000; port < 2006; port++) {
		bring_to(port % 2);
		connect_remote(port);
	}
	bring_to(0);
	data_in(2010, 1);
	bring_to(1);
	data_in(2011, 1);
	run_both();
	for (unsigned int i = 0; i < 2; i++) {
#define ADD(name, text) sum.name += stats_of(i)->name;
		SESSION_STATS(ADD)
#undef ADD
		assert_int_equal(stats_of(i)->handed_off, 3);
		assert_int_equal(service_active(workers[i].service), 3);
	}
	assert_int_equal(sum.syn, 6);
	assert_int_equal(sum.established, 6);
	assert_int_equal(sum.replayed, 6);
	assert_int_equal(sum.handed_off, 6);
	assert_int_equal(sum.resets_sent, 2);
}

static void one_may_leave_while_the_other_goes_on(void **state)
{
	(void)state;
	bring_to(0);
	syn_in(2000);
	bring_to(1);
	syn_in(2001);
	run_both();
	session_leave(workers[0].session);
	ack_in(2001);
	forget_notes();
	run_round(1);
	EXPECT_NOTES(2001, "<established>, take, replay ., hand_off 1, <handed_off>");
}

#define workers_test(f) cmocka_unit_test_setup_teardown(f, set_up_two, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		workers_test(a_flow_touches_only_the_session_that_gets_its_packets),
		workers_test(one_session_s_hand_off_does_not_wait_for_the_other_s),
		workers_test(one_session_s_graces_make_room_for_the_other_s_flows),
		workers_test(the_session_that_replaces_a_flow_tells_of_its_end),
		workers_test(a_stray_is_replayed_by_whichever_session_gets_it),
		workers_test(counters_add_up),
		workers_test(one_may_leave_while_the_other_goes_on),
	};

	return cmocka_run_group_tests_name("session_workers", tests, NULL, NULL);
}
