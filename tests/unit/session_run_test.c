/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* When a session sleeps and when it polls, and how it ends. */
#include "session_fixture.h"

/* In a loop of its own, where nothing but the wire and the session's own times end a sleep. */
static struct fake_wire *const wire = &workers[1].wire;
static unsigned int looks, most_looks, looks_polling;
static uint64_t step_ns; /* from one look to the next */
static uint64_t steady_spin_ns; /* 0: as spin_ns */
static uint64_t work_ns; /* the first one takes so much longer */

static int end_fd;

/* The clock goes on with each look at the wire; the last one ends the session. */
static void look(void)
{
	clock_ns += step_ns + (looks ? 0 : work_ns);
	if (++looks < most_looks)
		return;
	session_stop(workers[1].session);
	assert_int_equal(eventfd_write(end_fd, 1), 0);
}

static void hear_of_end(void *context, uint32_t events)
{
	(void)context;
	(void)events;
}

static void run_looks(unsigned int count, uint64_t spin_ns)
{
	struct loop_source *source;

	end_fd = eventfd(0, EFD_CLOEXEC);
	assert_int_equal(loop_add(workers[1].loop, end_fd, EPOLLIN, hear_of_end, NULL, &source), 0);
	looks = 0;
	most_looks = count;
	workers[1].session->options.spin_ns = spin_ns;
	workers[1].session->options.steady_spin_ns = steady_spin_ns ?: spin_ns;
	workers[1].session->is_stopping = false;
	wire->before_receive = look;
	assert_int_equal(session_run(workers[1].session), 0);
	assert_int_equal(looks, count);
	loop_remove(source);
	close(end_fd);
}

static void note_looks(bool is_spinning)
{
	if (!is_spinning)
		looks_polling = looks;
}

static void polls_until_spin_ns_after_the_last_packet(void **state)
{
	(void)state;
	step_ns = 10;
	syn_in(2000);
	wire->before_spinning = note_looks;
	/* The packet's own, those after 0, 10, 20 ns, and the one after 30 ns, which is followed by one more. */
	run_looks(6, 25);
	assert_int_equal(looks_polling, 5);
	assert_int_equal(wire->spins[true], 1);
	assert_int_equal(wire->spins[false], 1);
}

/* What a packet asks for may take longer than that. */
static void polls_from_the_end_of_the_work(void **state)
{
	(void)state;
	step_ns = 10;
	work_ns = 1000;
	syn_in(2000);
	wire->before_spinning = note_looks;
	run_looks(6, 25);
	work_ns = 0;
	assert_int_equal(looks_polling, 5);
}

static void polls_longer_while_packets_come_steadily(void **state)
{
	(void)state;
	step_ns = 10;
	steady_spin_ns = 95;
	wire->before_spinning = note_looks;
	for (uint16_t i = 0; i < 8; i++) {
		syn_in(2000 + i);
		run_looks(6, 25);
		assert_int_equal(looks_polling, 5);
	}
	syn_in(2008);
	run_looks(13, 25);
	assert_int_equal(looks_polling, 12);
	clock_ns += 100;
	syn_in(2009);
	run_looks(6, 25);
	assert_int_equal(looks_polling, 5);
	steady_spin_ns = 0;
}

static void never_polls_without_a_spin_time(void **state)
{
	(void)state;
	step_ns = 10;
	syn_in(2000);
	run_looks(2, 0);
	assert_int_equal(wire->spins[true], 0);
	assert_int_equal(wire->spins[false], 0);
}

/* Whoever reads no more has to be woken: its packets wait otherwise. */
static void spinning_ends_with_the_session(void **state)
{
	(void)state;
	step_ns = 0;
	syn_in(2000);
	run_looks(1, UINT64_MAX);
	assert_int_equal(wire->spins[true], 1);
	assert_int_equal(wire->spins[false], 1);
}

/* The last look was in vain, the end of spinning is not told yet: nobody wakes us for this packet. */
static void bring_unheard_packet(bool is_spinning)
{
	eventfd_t ignored;

	if (is_spinning)
		return;
	wire->before_spinning = NULL;
	syn_in(2001);
	eventfd_read(wire->fd, &ignored);
}

static void a_packet_between_the_last_look_and_the_end_of_spinning_is_not_slept_over(void **state)
{
	(void)state;
	step_ns = 10;
	data_in(2000, 1); /* leaves no flow, whose times would end a sleep */
	wire->before_spinning = bring_unheard_packet;
	run_looks(6, 25); /* as above: the fifth look is in vain, the sixth has the packet */
	EXPECT_NOTES(2001, "open, <syn>, send S.");
	assert_int_equal(wire->unsent, 0);
}

/* The same packet begins the polling anew. */
static void such_a_packet_begins_another_round_of_polling(void **state)
{
	(void)state;
	step_ns = 10;
	data_in(2000, 1);
	wire->before_spinning = bring_unheard_packet;
	run_looks(7, 25);
	assert_int_equal(wire->spins[true], 2);
	assert_int_equal(wire->spins[false], 2);
}

/* Nothing else would wake it: longer than that is for ever. */
static void sleeps_no_longer_than_until_a_syn_ack_is_due(void **state)
{
	(void)state;
	step_ns = 0;
	syn_in(2000);
	run_looks(2, 0);
	forget_notes();
	step_ns = CLOCK_NS_PER_S - MS(1); /* by the session's clock a millisecond is left */
	run_looks(4, 0);
	EXPECT_NOTES(2000, "send S.");
}

static void does_not_sleep_while_a_flow_is_to_be_handed_off(void **state)
{
	(void)state;
	step_ns = 0;
	syn_in(2000);
	run_looks(2, 0);
	table.flows.ops = &patient_flows_ops;
	ack_in(2000);
	flow_of(2000)->flow.held++;
	forget_notes();
	run_looks(8, 0); /* each round looks again between socket and swap */
	assert_true(handoff_has_work(workers[1].session->handoff));
	assert_int_equal(workers[1].events.unflushed, 0);
}

static void draining_hands_off_what_is_complete(void **state)
{
	(void)state;
	syn_in(2000);
	syn_in(2001);
	run_round(1);
	forget_notes();
	ack_in(2000);
	session_drain(workers[1].session);
	EXPECT_NOTES(2000, "<established>, take, replay ., hand_off 1, <handed_off>");
	EXPECT_NOTES(2001, "");
	assert_int_equal(wire->unsent, 0);
}

static void draining_waits_for_a_packet_that_is_on_its_way(void **state)
{
	(void)state;
	syn_in(2000);
	run_round(1);
	forget_notes();
	ack_in(2000);
	flow_of(2000)->flow.held++;
	session_drain(workers[1].session);
	assert_false(handoff_is_empty(workers[1].session->handoff));
	flow_of(2000)->flow.held--;
	forget_notes();
	session_drain(workers[1].session);
	EXPECT_NOTES(2000, "hand_off 1, <handed_off>");
}

/* Connected while nobody runs the loop. */
static void connect_socket(void)
{
	if (++looks == 3)
		end_connecting(0);
}

static void draining_asks_again_for_a_socket_that_was_not_connected(void **state)
{
	(void)state;
	use_early_maker();
	syn_in(2000);
	run_round(1);
	start_connecting();
	ack_in(2000);
	run_round(1);
	looks = 0;
	wire->before_receive = connect_socket;
	session_drain(workers[1].session);
	assert_true(handoff_is_empty(workers[1].session->handoff));
	assert_int_equal(stats_of(1)->handed_off, 1);
}

static void leaving_forgets_what_is_half_open_without_a_word(void **state)
{
	(void)state;
	use_early_maker();
	syn_in(2000);
	syn_in(2001);
	run_round(1);
	forget_notes();
	clock_ns += 10 * CLOCK_NS_PER_S; /* a SYN-ACK would be due */
	ack_in(2001);
	session_leave(workers[1].session);
	EXPECT_NOTES(2000, "forget_half_open");
	EXPECT_NOTES(2001, "complete, <established>, take, replay ., hand_off 1, <handed_off>");
	assert_int_equal(stats_of(1)->syn_ack_retransmits, 0);
}

static void flood(void)
{
	looks++;
	for (uint16_t port = 2000; port < 2010; port++)
		syn_in(port);
}

static void draining_ends_under_a_flood(void **state)
{
	(void)state;
	looks = 0;
	wire->before_receive = flood;
	session_drain(workers[1].session);
	assert_in_range(looks, 2, 100);
	wire->before_receive = NULL;
}

static void leaving_ends_under_a_flood(void **state)
{
	(void)state;
	looks = 0;
	wire->before_receive = flood;
	session_leave(workers[1].session);
	assert_in_range(looks, 2, 100);
	wire->before_receive = NULL;
}

static int set_up_alone(void **state)
{
	set_up(state);
	open_worker(1);
	to = 1;
	alarm(20); /* who sleeps for ever has failed */
	return 0;
}

static int tear_down_alone(void **state)
{
	alarm(0);
	return tear_down(state);
}

#define alone_test(f) cmocka_unit_test_setup_teardown(f, set_up_alone, tear_down_alone)

int main(void)
{
	const struct CMUnitTest tests[] = {
		alone_test(polls_until_spin_ns_after_the_last_packet),
		alone_test(polls_from_the_end_of_the_work),
		alone_test(polls_longer_while_packets_come_steadily),
		alone_test(never_polls_without_a_spin_time),
		alone_test(spinning_ends_with_the_session),
		alone_test(
			a_packet_between_the_last_look_and_the_end_of_spinning_is_not_slept_over),
		alone_test(such_a_packet_begins_another_round_of_polling),
		alone_test(sleeps_no_longer_than_until_a_syn_ack_is_due),
		alone_test(does_not_sleep_while_a_flow_is_to_be_handed_off),
		alone_test(draining_hands_off_what_is_complete),
		alone_test(draining_waits_for_a_packet_that_is_on_its_way),
		alone_test(draining_asks_again_for_a_socket_that_was_not_connected),
		alone_test(leaving_forgets_what_is_half_open_without_a_word),
		alone_test(draining_ends_under_a_flood),
		alone_test(leaving_ends_under_a_flood),
	};

	return cmocka_run_group_tests_name("session_run", tests, NULL, NULL);
}
