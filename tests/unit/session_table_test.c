/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the flow table has to say: full, somebody else's, replaced; and flows that a cookie has opened. */
#include "session_fixture.h"

/* Its socket is gone, and its grace begins. */
static void close_remote(uint16_t port)
{
	word_in(port);
	run_loop();
	assert_int_equal(flow_of(port)->flow.state, NOL_FLOW_CLOSED);
	forget_notes();
}

static void flows_in_their_grace_make_room(void **state)
{
	(void)state;
	table.size = 2;
	connect_remote(2000);
	connect_remote(2001);
	close_remote(2000);
	syn_in(2002);
	run_round(0);
	EXPECT_NOTES(2000, "forget");
	EXPECT_NOTES(2001, "");
	EXPECT_NOTES(2002, "open: E2BIG, open, <syn>, send S.");
	assert_int_equal(stats_of(0)->table_full, 0);
}

static void a_syn_is_refused_when_nothing_makes_room(void **state)
{
	(void)state;
	table.size = 1;
	connect_remote(2000);
	syn_in(2001);
	run_round(0);
	EXPECT_NOTES(2001, "open: E2BIG, open: E2BIG, <refused table_full>");
	assert_int_equal(stats_of(0)->table_full, 1);
	assert_int_equal(stats_of(0)->syn, 1);
	assert_int_equal(session_half_open(workers[0].session), 0);
	table.size = 2;
	syn_in(2001);
	run_round(0);
	EXPECT_NOTES(2001, "open, <syn>, send S.");
}

/* The engine keeps 16 flows. No event: this is a flood. */
static void a_syn_is_refused_when_the_engine_is_full(void **state)
{
	(void)state;
	for (uint16_t port = 2000; port < 2017; port++) {
		syn_in(port);
		run_round(0);
		if (flow_of(port))
			flow_of(port)->flow.state = NOL_FLOW_NONE; /* room in the table */
	}
	EXPECT_NOTES(2015, "open, <syn>, send S.");
	EXPECT_NOTES(2016, "");
	assert_int_equal(stats_of(0)->table_full, 1);
	assert_int_equal(stats_of(0)->reasons[ENGINE_REASON_TABLE_FULL], 1);
}

/* The SYN was held just before a socket had the 4-tuple: the remote sends it again, and the kernel has it. */
static void a_syn_of_a_flow_that_a_kernel_socket_has_gets_no_word(void **state)
{
	(void)state;
	table.open_result = -EALREADY;
	syn_in(2000);
	run_round(0);
	EXPECT_NOTES(2000, "open: EALREADY");
	assert_int_equal(stats_of(0)->table_full, 0);
	assert_int_equal(session_half_open(workers[0].session), 0);
}

static void a_flow_over_one_whose_socket_is_gone_tells_of_its_end_once(void **state)
{
	(void)state;
	connect_remote(2000);
	syn_in(2000);
	run_round(0);
	EXPECT_NOTES(2000, "open, <closed>, <syn>, send S.");
	word_in(2000);
	run_loop();
	EXPECT_NOTES(2000, "");
	assert_int_equal(closing_count(closing), 1);
}

static void a_flow_over_one_in_its_grace_tells_of_no_end(void **state)
{
	(void)state;
	connect_remote(2000);
	close_remote(2000);
	syn_in(2000);
	run_round(0);
	EXPECT_NOTES(2000, "open, <syn>, send S.");
	assert_int_equal(closing_count(closing), 1);
}

static void a_cookie_opens_its_flow_and_completes_it(void **state)
{
	(void)state;
	cookie_in(2000);
	run_round(0);
	EXPECT_NOTES(2000, "<established>, take, replay ., hand_off 1, <handed_off>");
	assert_int_equal(stats_of(0)->syn, 0);
	assert_int_equal(stats_of(0)->established, 1);
}

/* Ingress had no room; by now there is some. The entry is the session's to make. */
static void a_cookie_without_an_entry_gets_one(void **state)
{
	(void)state;
	table.size = 1;
	connect_remote(2000);
	cookie_in(2001);
	close_remote(2000);
	run_round(0);
	EXPECT_NOTES(2000, "forget");
	EXPECT_NOTES(2001, "open: E2BIG, open, <established>, take, replay ., hand_off 0, "
			   "<handed_off>");
}

static void a_cookie_is_refused_when_nothing_makes_room(void **state)
{
	(void)state;
	table.size = 1;
	connect_remote(2000);
	cookie_in(2001);
	run_round(0);
	EXPECT_NOTES(2001, "open: E2BIG, open: E2BIG, <refused table_full>");
	assert_int_equal(stats_of(0)->table_full, 1);
	assert_int_equal(stats_of(0)->established, 1);
}

static void a_syn_of_a_source_that_is_full_gets_no_word(void **state)
{
	(void)state;
	table.open_result = -EDQUOT;
	syn_in(2000);
	run_round(0);
	EXPECT_NOTES(2000, "open: EDQUOT");
	assert_int_equal(stats_of(0)->source_full, 1);
	assert_int_equal(stats_of(0)->table_full, 0);
	assert_int_equal(session_half_open(workers[0].session), 0);
	syn_in(2000);
	run_round(0);
	EXPECT_NOTES(2000, "open, <syn>, send S.");
}

static int admit_none(struct flows *flows, const struct tuple *tuple)
{
	(void)flows;
	(void)tuple;
	return -EDQUOT;
}

static void a_cookie_of_a_source_that_is_full_gets_a_rst(void **state)
{
	struct flows_ops full_ops = ring_flows_ops;

	(void)state;
	full_ops.admit = admit_none;
	table.flows.ops = &full_ops;
	cookie_in(2000);
	run_round(0);
	EXPECT_NOTES(2000, "forget, send R");
	assert_int_equal(stats_of(0)->source_full, 1);
	assert_int_equal(stats_of(0)->established, 0);
	assert_null(flow_of(2000));
	table.flows.ops = &ring_flows_ops;
	cookie_in(2000);
	run_round(0);
	EXPECT_NOTES(2000, "<established>, take, replay ., hand_off 1, <handed_off>");
}

static void a_cookie_without_an_entry_of_a_source_that_is_full_gets_a_rst(void **state)
{
	(void)state;
	table.size = 0;
	cookie_in(2000);
	table.size = FLOWS_MAX;
	table.open_result = -EDQUOT;
	run_round(0);
	EXPECT_NOTES(2000, "open: EDQUOT, send R");
	assert_int_equal(stats_of(0)->source_full, 1);
	assert_null(flow_of(2000));
}

/* Two packets brought the cookie while the table was full. The first is handed off before the second is looked at. */
static void a_cookie_that_comes_again_behind_its_hand_off_is_replayed(void **state)
{
	(void)state;
	table.size = 0;
	cookie_in(2000);
	table.size = 1;
	run_round(0);
	EXPECT_NOTES(2000, "open, <established>, take, replay ., hand_off 0, <handed_off>");
	table.size = 0;
	cookie_in(2000);
	table.open_result = -EALREADY;
	run_round(0);
	EXPECT_NOTES(2000, "open: EALREADY, replay .");
	assert_int_equal(stats_of(0)->table_full, 0);
}

static void a_cookie_over_a_flow_whose_socket_is_gone_tells_of_its_end(void **state)
{
	(void)state;
	connect_remote(2000);
	table.size = 0;
	cookie_in(2000);
	run_round(0);
	EXPECT_NOTES(2000, "open, <closed>, <established>, take, replay ., hand_off 0, "
			   "<handed_off>");
	assert_int_equal(stats_of(0)->table_full, 0);
	assert_int_equal(closing_count(closing), 1);
}

static void a_cookie_of_a_flow_that_is_known_counts_among_its_packets(void **state)
{
	struct held_packet *packet;

	(void)state;
	cookie_in(2000);
	packet = data_in(2000, 5);
	packet->has_cookie = true;
	packet->terms = (struct nol_terms){.mss = 1400};
	run_round(0);
	EXPECT_NOTES(2000, "<established>, take, replay ., replay P.5, hand_off 2, <handed_off>");
}

/* Two processors at once: the entry is of the bare ACK, whose record comes second. */
static void a_cookie_may_come_before_that_which_began_its_flow(void **state)
{
	struct held_packet *packet;

	(void)state;
	packet = segment_in(2000, TCP_PSH | TCP_ACK, REMOTE_ISN + 1, 7777, 5);
	packet->has_cookie = true;
	packet->terms = (struct nol_terms){.mss = 1400};
	cookie_in(2000);
	number_packet(packet, 2000);
	run_round(0);
	EXPECT_NOTES(2000, "<established>, take, replay P.5, replay ., hand_off 2, <handed_off>");
}

/* No engine can take it, and no other would ever end it. */
static void a_cookie_s_flow_that_cannot_be_adopted_is_forgotten(void **state)
{
	struct held_packet *packet;

	(void)state;
	packet = cookie_in(2000);
	((uint8_t *)packet - offsetof(struct fake_packet, packet) +
	 offsetof(struct fake_packet, frame))[packet->l4_offset + 16] ^= 0xff; /* its checksum */
	run_round(0);
	EXPECT_NOTES(2000, "forget");
	assert_int_equal(stats_of(0)->reasons[ENGINE_REASON_BAD_CHECKSUM], 1);
	assert_null(flow_of(2000));
}

static void a_cookie_s_flow_is_forgotten_when_its_packet_is_malformed(void **state)
{
	(void)state;
	cut(cookie_in(2000));
	run_round(0);
	EXPECT_NOTES(2000, "forget");
	assert_int_equal(stats_of(0)->malformed, 1);
	assert_null(flow_of(2000));
}

static void a_malformed_packet_ends_no_flow_that_is_known(void **state)
{
	struct held_packet *packet;

	(void)state;
	syn_in(2000);
	run_round(0);
	forget_notes();
	packet = data_in(2000, 5);
	packet->has_cookie = true;
	cut(packet);
	ack_in(2000);
	run_round(0);
	EXPECT_NOTES(2000, "<established>, take, replay ., hand_off 2, <handed_off>");
}

static void a_malformed_packet_without_a_cookie_ends_no_entry(void **state)
{
	(void)state;
	connect_remote(2000);
	cut(data_in(2000, 5));
	run_round(0);
	EXPECT_NOTES(2000, "");
	assert_non_null(flow_of(2000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		session_test(flows_in_their_grace_make_room),
		session_test(a_syn_is_refused_when_nothing_makes_room),
		session_test(a_syn_is_refused_when_the_engine_is_full),
		session_test(a_syn_of_a_flow_that_a_kernel_socket_has_gets_no_word),
		session_test(a_flow_over_one_whose_socket_is_gone_tells_of_its_end_once),
		session_test(a_flow_over_one_in_its_grace_tells_of_no_end),
		session_test(a_cookie_opens_its_flow_and_completes_it),
		session_test(a_cookie_without_an_entry_gets_one),
		session_test(a_cookie_is_refused_when_nothing_makes_room),
		session_test(a_syn_of_a_source_that_is_full_gets_no_word),
		session_test(a_cookie_of_a_source_that_is_full_gets_a_rst),
		session_test(a_cookie_without_an_entry_of_a_source_that_is_full_gets_a_rst),
		session_test(a_cookie_that_comes_again_behind_its_hand_off_is_replayed),
		session_test(a_cookie_over_a_flow_whose_socket_is_gone_tells_of_its_end),
		session_test(a_cookie_of_a_flow_that_is_known_counts_among_its_packets),
		session_test(a_cookie_may_come_before_that_which_began_its_flow),
		session_test(a_cookie_s_flow_that_cannot_be_adopted_is_forgotten),
		session_test(a_cookie_s_flow_is_forgotten_when_its_packet_is_malformed),
		session_test(a_malformed_packet_ends_no_flow_that_is_known),
		session_test(a_malformed_packet_without_a_cookie_ends_no_entry),
	};

	return cmocka_run_group_tests_name("session_table", tests, NULL, NULL);
}
