/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* From the final ACK to the kernel socket: every packet once and in order, whatever comes in between. */
#include "session_fixture.h"

static uint16_t late_port;

/* Ingress holds another packet in the instant between the replay and the swap. */
static void hold_late_packet(void)
{
	workers[to].wire.after_replay = NULL;
	data_in(late_port, 5);
}

static void a_handshake_becomes_a_socket(void **state)
{
	(void)state;
	syn_in(2000);
	run_round(0);
	EXPECT_NOTES(2000, "open, <syn>, send S.");
	ack_in(2000);
	run_round(0);
	EXPECT_NOTES(2000, "<established>, take, replay ., hand_off 1, <handed_off>");
	assert_int_equal(service_active(workers[0].service), 1);
	assert_int_equal(session_half_open(workers[0].session), 0);
	assert_int_equal(stats_of(0)->syn, 1);
	assert_int_equal(stats_of(0)->established, 1);
	assert_int_equal(stats_of(0)->replayed, 1);
	assert_int_equal(stats_of(0)->handed_off, 1);
	assert_int_equal(workers[0].events.unflushed, 0);
}

static void packets_behind_the_final_ack_are_replayed_in_order(void **state)
{
	(void)state;
	syn_in(2000);
	run_round(0);
	forget_notes();
	ack_in(2000);
	segment_in(2000, TCP_FIN | TCP_ACK, REMOTE_ISN + 1, ack_of(2000), 0);
	data_in(2000, 3);
	run_round(0);
	EXPECT_NOTES(2000, "<established>, take, replay ., replay F., replay P.3, hand_off 3, "
			   "<handed_off>");
}

static void the_final_ack_is_not_replayed_if_the_data_behind_it_says_the_same(void **state)
{
	(void)state;
	syn_in(2000);
	run_round(0);
	forget_notes();
	ack_in(2000);
	data_in(2000, 7);
	data_in(2000, 3);
	run_round(0);
	EXPECT_NOTES(2000, "<established>, take, replay P.7, replay P.3, hand_off 3, <handed_off>");
	assert_int_equal(stats_of(0)->replayed, 2);
	assert_int_equal(stats_of(0)->repeated, 1);
}

/* One more, with a checksum that is right all the same: the urgent pointer, which nobody reads, makes up for it. */
static void change_window(struct held_packet *packet)
{
	uint8_t *tcp = container_of(packet, struct fake_packet, packet)->frame + packet->l4_offset;

	tcp[15]++;
	tcp[18] = 0xff;
	tcp[19] = 0xfe;
}

static void the_final_ack_is_replayed_if_the_window_behind_it_differs(void **state)
{
	(void)state;
	syn_in(2000);
	run_round(0);
	forget_notes();
	ack_in(2000);
	change_window(data_in(2000, 7));
	run_round(0);
	EXPECT_NOTES(2000, "<established>, take, replay ., replay P.7, hand_off 2, <handed_off>");
	assert_int_equal(stats_of(0)->repeated, 0);
}

static void the_final_ack_is_replayed_if_the_data_is_not_next_to_it(void **state)
{
	(void)state;
	syn_in(2000);
	run_round(0);
	forget_notes();
	ack_in(2000);
	segment_in(2000, TCP_PSH | TCP_ACK, REMOTE_ISN + 10, ack_of(2000), 7);
	run_round(0);
	EXPECT_NOTES(2000, "<established>, take, replay ., replay P.7, hand_off 2, <handed_off>");
}

/* The remote's first data arrives meanwhile. */
static int take_slowly(struct socket_maker *maker, struct engine_flow *flow, uint64_t now_ns,
		       int *fd)
{
	data_in(flow->tuple.remote.port, 5);
	return take_fake_socket(maker, flow, now_ns, fd);
}

static const struct socket_maker_ops slow_maker_ops = {.take = take_slowly};

static void what_comes_while_the_socket_is_made_goes_with_the_first_attempt(void **state)
{
	(void)state;
	syn_in(2000);
	run_round(0);
	forget_notes();
	ack_in(2000);
	workers[0].maker.maker.ops = &slow_maker_ops;
	run_round(0);
	EXPECT_NOTES(2000, "<established>, take, replay P.5, hand_off 2, <handed_off>");
	assert_int_equal(workers[0].events.unflushed, 0);
}

static void a_packet_held_between_replay_and_swap_is_replayed_before_the_next_swap(void **state)
{
	(void)state;
	syn_in(2000);
	run_round(0);
	forget_notes();
	ack_in(2000);
	late_port = 2000;
	workers[0].wire.after_replay = hold_late_packet;
	run_round(0);
	EXPECT_NOTES(2000, "<established>, take, replay ., hand_off 1: EAGAIN");
	assert_int_equal(service_active(workers[0].service), 0);
	run_round(0);
	EXPECT_NOTES(2000, "replay P.5, hand_off 2, <handed_off>");
	assert_int_equal(service_active(workers[0].service), 1);
}

static void other_flows_go_on_while_one_waits_for_its_packet(void **state)
{
	(void)state;
	for (uint16_t port = 2000; port < 2003; port++)
		syn_in(port);
	run_round(0);
	forget_notes();
	for (uint16_t port = 2000; port < 2003; port++)
		ack_in(port);
	late_port = 2000;
	workers[0].wire.after_replay = hold_late_packet;
	run_round(0);
	EXPECT_NOTES(2000, "<established>, take, replay ., hand_off 1: EAGAIN");
	EXPECT_NOTES(2001, "<established>, take, replay ., hand_off 1, <handed_off>");
	EXPECT_NOTES(2002, "<established>, take, replay ., hand_off 1, <handed_off>");
	syn_in(2003);
	run_round(0);
	EXPECT_NOTES(2000, "replay P.5, hand_off 2, <handed_off>");
	EXPECT_NOTES(2003, "open, <syn>, send S.");
}

/* The list has an end of its own, which moves when the last flow leaves and others stay. */
static void a_flow_joins_the_list_behind_one_that_waits(void **state)
{
	(void)state;
	syn_in(2000);
	syn_in(2001);
	syn_in(2002);
	run_round(0);
	ack_in(2000);
	ack_in(2001);
	flow_of(2000)->flow.held++;
	run_round(0);
	forget_notes();
	ack_in(2002);
	run_round(0);
	EXPECT_NOTES(2000, "hand_off 1: EAGAIN");
	EXPECT_NOTES(2002, "<established>, take, replay ., hand_off 1, <handed_off>");
	assert_int_equal(session_half_open(workers[0].session), 1);
}

/* Ingress has counted a packet that never comes, because the flow's entry was replaced in that instant. */
static void lose_a_packet(uint16_t port)
{
	syn_in(port);
	run_round(0);
	ack_in(port);
	flow_of(port)->flow.held++;
	run_round(0);
	forget_notes();
}

/* Method connect: the packet that completed the handshake may be younger than the round that takes it. */
static void a_packet_that_never_comes_is_waited_for_200_ms(void **state)
{
	(void)state;
	use_early_maker();
	workers[0].maker.is_late = true;
	lose_a_packet(2000);
	clock_ns += MS(199);
	run_round(0);
	EXPECT_NOTES(2000, "hand_off 1: EAGAIN");
	clock_ns += MS(2);
	run_round(0);
	EXPECT_NOTES(2000, "hand_off 1: EAGAIN, force, <handed_off>");
	assert_int_equal(stats_of(0)->handed_off, 1);
	run_round(0);
	EXPECT_NOTES(2000, "");
}

static void a_packet_that_is_certain_to_come_is_waited_for(void **state)
{
	(void)state;
	table.flows.ops = &patient_flows_ops;
	lose_a_packet(2000);
	clock_ns += 10 * CLOCK_NS_PER_S;
	run_round(0);
	EXPECT_NOTES(2000, "hand_off 1: EAGAIN");
	flow_of(2000)->flow.held = 1;
	run_round(0);
	EXPECT_NOTES(2000, "hand_off 1, <handed_off>");
}

/* Somebody removed its entry: the kernel has the connection all the same. */
static void a_flow_without_an_entry_is_handed_off(void **state)
{
	(void)state;
	syn_in(2000);
	run_round(0);
	forget_notes();
	ack_in(2000);
	flow_of(2000)->flow.state = NOL_FLOW_NONE;
	run_round(0);
	EXPECT_NOTES(2000, "<established>, take, replay ., hand_off 1: ENOENT, <handed_off>");
	assert_int_equal(service_active(workers[0].service), 1);
}

static void a_malformed_packet_counts_among_the_held(void **state)
{
	(void)state;
	syn_in(2000);
	run_round(0);
	forget_notes();
	cut(data_in(2000, 9));
	ack_in(2000);
	run_round(0);
	EXPECT_NOTES(2000, "<established>, take, replay ., hand_off 2, <handed_off>");
	assert_int_equal(stats_of(0)->malformed, 1);
}

static void a_packet_that_cannot_be_replayed_is_counted_and_holds_nothing_up(void **state)
{
	(void)state;
	syn_in(2000);
	run_round(0);
	forget_notes();
	ack_in(2000);
	workers[0].wire.replay_err = -ENOBUFS;
	run_round(0);
	EXPECT_NOTES(2000, "<established>, take, hand_off 1, <handed_off>");
	assert_int_equal(stats_of(0)->replay_failed, 1);
	assert_int_equal(stats_of(0)->replayed, 0);
}

/* Behind the RST of a hand-off that is over in the same round. Whatever it said of itself was about that flow. */
static void a_syn_behind_a_reset_comes_again_as_a_new_connection(void **state)
{
	struct held_packet *syn;

	(void)state;
	syn_in(2000);
	run_round(0);
	forget_notes();
	workers[0].maker.gives_reset_sockets = true;
	ack_in(2000);
	segment_in(2000, TCP_RST | TCP_ACK, REMOTE_ISN + 1, ack_of(2000), 0);
	syn = syn_in(2000);
	syn->has_cookie = true;
	syn->terms = (struct nol_terms){.mss = 1400};
	run_round(0);
	EXPECT_NOTES(2000, "<established>, take, replay ., replay R., hand_off 3, <handed_off>, "
			   "open, <closed>, <syn>, send S.");
	ack_in(2000);
	run_round(0);
	EXPECT_NOTES(2000, "<established>, take, replay ., hand_off 1, <handed_off>");
}

static void what_follows_such_a_syn_follows_it_into_the_new_connection(void **state)
{
	(void)state;
	syn_in(2000);
	run_round(0);
	forget_notes();
	workers[0].maker.gives_reset_sockets = true;
	ack_in(2000);
	syn_in(2000);
	segment_in(2000, TCP_RST, REMOTE_ISN + 1, 0, 0);
	run_round(0);
	EXPECT_NOTES(2000, "<established>, take, replay ., hand_off 3, <handed_off>, "
			   "open, <closed>, <syn>, send S., forget, <reset remote_reset>");
}

static void a_stray_of_a_flow_that_was_handed_off_meanwhile_is_replayed(void **state)
{
	(void)state;
	connect_remote(2000);
	data_in(2000, 4);
	run_round(0);
	EXPECT_NOTES(2000, "replay P.4");
	assert_int_equal(stats_of(0)->resets_sent, 0);
}

static void a_stray_of_nothing_is_answered_with_a_reset(void **state)
{
	(void)state;
	connect_remote(2000);
	flow_of(2000)->flow.state = NOL_FLOW_CLOSED;
	data_in(2000, 4);
	data_in(2001, 6);
	run_round(0);
	EXPECT_NOTES(2000, "send R");
	EXPECT_NOTES(2001, "send R");
	assert_int_equal(stats_of(0)->resets_sent, 2);
	assert_int_equal(stats_of(0)->reasons[ENGINE_REASON_NO_FLOW], 2);
}

/* Whether a RST would be withheld is no matter for a packet that gets none. */
static void a_stray_is_replayed_also_when_resets_are_used_up(void **state)
{
	(void)state;
	connect_remote(2000);
	for (int i = 0; i < 101; i++)
		data_in(2001, 1);
	run_round(0);
	assert_int_equal(stats_of(0)->reasons[ENGINE_REASON_RATE_LIMITED], 1);
	forget_notes();
	data_in(2000, 4);
	run_round(0);
	EXPECT_NOTES(2000, "replay P.4");
}

static void a_reply_that_cannot_leave_is_counted(void **state)
{
	(void)state;
	workers[0].wire.send_err = -ENOBUFS;
	syn_in(2000);
	run_round(0);
	assert_int_equal(stats_of(0)->send_failed, 1);
	workers[0].wire.send_err = 0;
	workers[0].wire.flush_err = -ENETDOWN;
	run_round(0);
	assert_int_equal(stats_of(0)->send_failed, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		session_test(a_handshake_becomes_a_socket),
		session_test(the_final_ack_is_not_replayed_if_the_data_behind_it_says_the_same),
		session_test(the_final_ack_is_replayed_if_the_window_behind_it_differs),
		session_test(the_final_ack_is_replayed_if_the_data_is_not_next_to_it),
		session_test(what_comes_while_the_socket_is_made_goes_with_the_first_attempt),
		session_test(packets_behind_the_final_ack_are_replayed_in_order),
		session_test(
			a_packet_held_between_replay_and_swap_is_replayed_before_the_next_swap),
		session_test(other_flows_go_on_while_one_waits_for_its_packet),
		session_test(a_flow_joins_the_list_behind_one_that_waits),
		session_test(a_packet_that_never_comes_is_waited_for_200_ms),
		session_test(a_packet_that_is_certain_to_come_is_waited_for),
		session_test(a_flow_without_an_entry_is_handed_off),
		session_test(a_malformed_packet_counts_among_the_held),
		session_test(a_packet_that_cannot_be_replayed_is_counted_and_holds_nothing_up),
		session_test(a_syn_behind_a_reset_comes_again_as_a_new_connection),
		session_test(what_follows_such_a_syn_follows_it_into_the_new_connection),
		session_test(a_stray_of_a_flow_that_was_handed_off_meanwhile_is_replayed),
		session_test(a_stray_of_nothing_is_answered_with_a_reset),
		session_test(a_stray_is_replayed_also_when_resets_are_used_up),
		session_test(a_reply_that_cannot_leave_is_counted),
	};

	return cmocka_run_group_tests_name("session_handoff", tests, NULL, NULL);
}
