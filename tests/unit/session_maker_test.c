/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A socket maker that fails, waits or is silent, at each of its steps. */
#include "session_fixture.h"

#ifndef __SANITIZE_ADDRESS__
extern void *__libc_calloc(size_t count, size_t size);

static bool next_calloc_fails;

void *calloc(size_t count, size_t size)
{
	const bool fails = next_calloc_fails;

	next_calloc_fails = false;
	return fails ? NULL : __libc_calloc(count, size);
}
#else
static bool next_calloc_fails;
#endif

static void begin_handshake(uint16_t port)
{
	syn_in(port);
	run_round(0);
	forget_notes();
}

static void a_socket_may_take_part_from_the_start(void **state)
{
	(void)state;
	use_early_maker();
	syn_in(2000)->has_time_wait = true;
	run_round(0);
	EXPECT_NOTES(2000, "open, <syn>, begin over TIME-WAIT, send S.");
	ack_in(2000);
	run_round(0);
	EXPECT_NOTES(2000, "complete, <established>, take, replay ., hand_off 1, <handed_off>");
	assert_null(workers[0].maker.first);
}

static void a_flow_that_no_socket_can_begin_for_is_refused(void **state)
{
	(void)state;
	use_early_maker();
	workers[0].maker.begin_err = -EADDRNOTAVAIL;
	syn_in(2000);
	run_round(0);
	EXPECT_NOTES(2000, "open, <syn>, begin, <refused connect_failed>, forget");
	assert_int_equal(stats_of(0)->connect_failed, 1);
	assert_int_equal(session_half_open(workers[0].session), 0);
}

static void want_of_descriptors_has_a_name_at_the_start(void **state)
{
	(void)state;
	use_early_maker();
	workers[0].maker.begin_err = -EMFILE;
	syn_in(2000);
	run_round(0);
	EXPECT_NOTES(2000, "open, <syn>, begin, <refused no_descriptors>, forget");
	assert_int_equal(stats_of(0)->no_descriptors, 1);
}

static void a_socket_that_has_failed_to_begin_may_begin_with_the_next_syn(void **state)
{
	(void)state;
	use_early_maker();
	workers[0].maker.begin_err = -EMFILE;
	begin_handshake(2000);
	workers[0].maker.begin_err = 0;
	syn_in(2000);
	run_round(0);
	EXPECT_NOTES(2000, "open, <syn>, begin, send S.");
}

/* What was lost on its way to the socket is counted; the socket decides by itself. */
static void a_packet_that_the_socket_did_not_get_is_counted(void **state)
{
	(void)state;
	use_early_maker();
	begin_handshake(2000);
	workers[0].maker.complete_result = -ENOBUFS;
	ack_in(2000);
	run_round(0);
	EXPECT_NOTES(2000, "complete, <established>, take, hand_off 1, <handed_off>");
	assert_int_equal(stats_of(0)->replay_failed, 1);
}

static void a_packet_that_has_said_all_is_not_replayed(void **state)
{
	(void)state;
	use_early_maker();
	begin_handshake(2000);
	workers[0].maker.complete_result = 0;
	ack_in(2000);
	data_in(2000, 6);
	run_round(0);
	EXPECT_NOTES(2000, "complete, <established>, take, replay P.6, hand_off 2, <handed_off>");
	assert_int_equal(stats_of(0)->replay_failed, 0);
}

static void a_socket_that_is_not_connected_yet_is_waited_for_by_the_loop(void **state)
{
	(void)state;
	use_early_maker();
	begin_handshake(2000);
	begin_handshake(2001);
	start_connecting();
	ack_in(2000);
	run_round(0);
	EXPECT_NOTES(2000, "complete, <established>, take: EINPROGRESS");
	assert_false(handoff_has_work(workers[0].session->handoff));
	assert_false(handoff_is_empty(workers[0].session->handoff));
	workers[0].maker.take_err = 0;
	data_in(2000, 3);
	ack_in(2001);
	run_round(0);
	EXPECT_NOTES(2000, ""); /* the loop is asked, and the maker is not */
	EXPECT_NOTES(2001, "complete, <established>, take, replay ., hand_off 1, <handed_off>");
	end_connecting(0);
	run_round(0); /* its loop hears of it */
	assert_true(handoff_has_work(workers[0].session->handoff));
	run_round(0);
	EXPECT_NOTES(2000, "take, replay ., replay P.3, hand_off 2, <handed_off>");
}

static void a_socket_may_have_to_be_waited_for_twice(void **state)
{
	(void)state;
	use_early_maker();
	begin_handshake(2000);
	start_connecting();
	ack_in(2000);
	run_round(0);
	end_connecting(-EINPROGRESS);
	run_round(0);
	run_round(0);
	EXPECT_NOTES(2000, "complete, <established>, take: EINPROGRESS, take: EINPROGRESS");
	workers[0].maker.take_err = 0;
	run_round(0);
	run_round(0);
	EXPECT_NOTES(2000, "take, replay ., hand_off 1, <handed_off>");
}

/* The remote believes that it is connected: it has to know. */
static void a_socket_that_fails_after_waiting_resets_the_remote(void **state)
{
	const struct segment *reset = &workers[0].wire.sent[0];
	uint32_t ack;

	(void)state;
	use_early_maker();
	begin_handshake(2000);
	start_connecting();
	ack = ack_of(2000);
	ack_in(2000);
	run_round(0);
	forget_notes();
	end_connecting(-ECONNREFUSED);
	run_round(0);
	run_round(0);
	EXPECT_NOTES(2000, "take: ECONNREFUSED, <reset handoff_failed>, send R., forget");
	assert_int_equal(reset->seq, ack);
	assert_int_equal(reset->ack, REMOTE_ISN + 1);
	assert_int_equal(stats_of(0)->handoff_failed, 1);
	assert_int_equal(stats_of(0)->resets_sent, 1);
	assert_int_equal(stats_of(0)->handed_off, 0);
	assert_int_equal(session_half_open(workers[0].session), 0);
}

static void want_of_descriptors_has_a_name_at_the_end(void **state)
{
	(void)state;
	begin_handshake(2000);
	workers[0].maker.take_err = -EMFILE;
	ack_in(2000);
	data_in(2000, 8);
	run_round(0);
	EXPECT_NOTES(2000, "<established>, take: EMFILE, <reset no_descriptors>, send R., forget");
	assert_int_equal(stats_of(0)->no_descriptors, 1);
	assert_int_equal(service_active(workers[0].service), 0);
	data_in(2000, 8);
	run_round(0);
	EXPECT_NOTES(2000, "send R");
}

static void want_of_memory_at_the_end_is_told_to_the_remote(void **state)
{
	(void)state;
	use_early_maker();
	begin_handshake(2000);
	ack_in(2000);
	next_calloc_fails = true;
	run_round(0);
	if (next_calloc_fails) /* a sanitizer's is called instead */
		skip();
	EXPECT_NOTES(2000,
		     "complete, <established>, forget_socket, <reset no_memory>, send R., forget");
	assert_int_equal(stats_of(0)->handoff_failed, 1);
	assert_int_equal(stats_of(0)->resets_sent, 1);
	assert_null(workers[0].maker.first);
}

static void one_that_fails_takes_no_other_with_it(void **state)
{
	(void)state;
	begin_handshake(2000);
	begin_handshake(2001);
	workers[0].maker.take_err = -EMFILE;
	ack_in(2000);
	run_round(0);
	workers[0].maker.take_err = 0;
	forget_notes();
	ack_in(2001);
	run_round(0);
	EXPECT_NOTES(2001, "<established>, take, replay ., hand_off 1, <handed_off>");
}

/* The kernel sends the SYN-ACKs itself, those that time asks for too. */
static void a_reply_that_the_socket_sends_is_not_sent(void **state)
{
	(void)state;
	use_early_maker();
	workers[0].maker.is_mute = true;
	syn_in(2000);
	run_round(0);
	EXPECT_NOTES(2000, "open, <syn>, begin");
	clock_ns += 2 * CLOCK_NS_PER_S;
	run_round(0);
	EXPECT_NOTES(2000, "");
	assert_int_equal(stats_of(0)->syn_ack_retransmits, 0);
}

static void a_reply_is_sent_in_the_socket_s_terms(void **state)
{
	(void)state;
	use_early_maker();
	begin_handshake(2000);
	assert_int_equal(workers[0].wire.sent[0].options.mss, 1234);
}

static void what_the_kernel_has_agreed_to_counts_before_the_next_segment(void **state)
{
	(void)state;
	use_early_maker();
	begin_handshake(2000);
	assert_true(workers[0].wire.sent[0].options.has_sack_permitted);
	workers[0].maker.has_no_sack = true;
	syn_in(2000); /* again: the answer is the engine's */
	run_round(0);
	EXPECT_NOTES(2000, "send S.");
	assert_false(workers[0].wire.sent[0].options.has_sack_permitted);
}

static void a_handshake_that_the_remote_resets_gives_its_socket_up(void **state)
{
	(void)state;
	use_early_maker();
	begin_handshake(2000);
	segment_in(2000, TCP_RST, REMOTE_ISN + 1, 0, 0);
	run_round(0);
	EXPECT_NOTES(2000, "forget_socket, forget, <reset remote_reset>");
	assert_null(workers[0].maker.first);
}

static void a_handshake_that_nobody_completes_gives_its_socket_up(void **state)
{
	(void)state;
	use_early_maker();
	begin_handshake(2000);
	clock_ns += 2 * CLOCK_NS_PER_S;
	run_round(0);
	EXPECT_NOTES(2000, "send S.");
	assert_int_equal(stats_of(0)->syn_ack_retransmits, 1);
	clock_ns += 4 * CLOCK_NS_PER_S;
	run_round(0);
	EXPECT_NOTES(2000, "forget_socket, forget, <expired timeout>");
	assert_int_equal(stats_of(0)->expired, 1);
	assert_null(workers[0].maker.first);
}

static void kill_handshake(uint16_t port, uint64_t first_by_ns)
{
	workers[0].wire.killed =
		(struct killed_flow){.tuple = tuple_of(port), .first_by_ns = first_by_ns};
}

static void a_handshake_that_the_kernel_s_rst_has_won_is_over(void **state)
{
	(void)state;
	begin_handshake(2000);
	kill_handshake(2000, 4500);
	run_round(0);
	EXPECT_NOTES(2000, "<reset kernel_rst>, forget");
	assert_int_equal(workers[0].events.first_by_us, 5);
	assert_int_equal(stats_of(0)->reset, 1);
	assert_int_equal(session_half_open(workers[0].session), 0);
}

/* The remote answers the SYN-ACK that came too late: that is no end by its RST. */
static void the_kernel_s_rst_counts_before_the_remote_s_answer_to_what_came_later(void **state)
{
	(void)state;
	begin_handshake(2000);
	kill_handshake(2000, 1000);
	segment_in(2000, TCP_RST, REMOTE_ISN + 1, 0, 0);
	run_round(0);
	EXPECT_NOTES(2000, "<reset kernel_rst>, forget");
	assert_int_equal(stats_of(0)->reset, 1);
}

static void a_killed_handshake_gives_its_socket_up(void **state)
{
	(void)state;
	use_early_maker();
	begin_handshake(2000);
	kill_handshake(2000, 1000);
	run_round(0);
	EXPECT_NOTES(2000, "<reset kernel_rst>, forget_socket, forget");
	assert_null(workers[0].maker.first);
}

static void nothing_is_killed_that_is_complete_or_not_there(void **state)
{
	(void)state;
	kill_handshake(2001, 1000);
	run_round(0);
	EXPECT_NOTES(2001, "");
	begin_handshake(2000);
	start_connecting();
	ack_in(2000);
	run_round(0);
	forget_notes();
	kill_handshake(2000, 1000);
	run_round(0);
	EXPECT_NOTES(2000, "");
	assert_int_equal(stats_of(0)->reset, 0);
}

/* Its socket is the maker's, which outlives it. */
static void a_session_may_end_while_a_socket_is_waited_for(void **state)
{
	(void)state;
	begin_handshake(2000);
	start_connecting();
	ack_in(2000);
	data_in(2000, 5);
	run_round(0);
	assert_false(handoff_is_empty(workers[0].session->handoff));
}

/* The socket is there, a packet is still to come: both are the session's. */
static void a_session_may_end_with_a_socket_that_is_not_handed_off(void **state)
{
	(void)state;
	begin_handshake(2000);
	ack_in(2000);
	flow_of(2000)->flow.held++;
	run_round(0);
	EXPECT_NOTES(2000, "<established>, take, replay ., hand_off 1: EAGAIN");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		session_test(a_socket_may_take_part_from_the_start),
		session_test(a_flow_that_no_socket_can_begin_for_is_refused),
		session_test(want_of_descriptors_has_a_name_at_the_start),
		session_test(a_socket_that_has_failed_to_begin_may_begin_with_the_next_syn),
		session_test(a_packet_that_the_socket_did_not_get_is_counted),
		session_test(a_packet_that_has_said_all_is_not_replayed),
		session_test(a_socket_that_is_not_connected_yet_is_waited_for_by_the_loop),
		session_test(a_socket_may_have_to_be_waited_for_twice),
		session_test(a_socket_that_fails_after_waiting_resets_the_remote),
		session_test(want_of_descriptors_has_a_name_at_the_end),
		session_test(want_of_memory_at_the_end_is_told_to_the_remote),
		session_test(one_that_fails_takes_no_other_with_it),
		session_test(a_reply_that_the_socket_sends_is_not_sent),
		session_test(a_reply_is_sent_in_the_socket_s_terms),
		session_test(what_the_kernel_has_agreed_to_counts_before_the_next_segment),
		session_test(a_handshake_that_the_remote_resets_gives_its_socket_up),
		session_test(a_handshake_that_nobody_completes_gives_its_socket_up),
		session_test(a_handshake_that_the_kernel_s_rst_has_won_is_over),
		session_test(the_kernel_s_rst_counts_before_the_remote_s_answer_to_what_came_later),
		session_test(a_killed_handshake_gives_its_socket_up),
		session_test(nothing_is_killed_that_is_complete_or_not_there),
		session_test(a_session_may_end_while_a_socket_is_waited_for),
		session_test(a_session_may_end_with_a_socket_that_is_not_handed_off),
	};

	return cmocka_run_group_tests_name("session_maker", tests, NULL, NULL);
}
