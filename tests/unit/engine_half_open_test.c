// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* SYN-RECEIVED of a passive open, and what follows until the flow is released. */
#include "engine_script.h"

/* The window is 65535: 1001 is the first sequence number in it, 66535 the last. */
static void open_half(void)
{
	SYN_IN(1000, MSS(1460));
	EXPECT(TCP_SYN | TCP_ACK, .ack = 1001);
}

static void open_half_with_timestamps(void)
{
	SYN_IN(1000, MSS(1460), WSCALE(7), TS(5000, 0));
	EXPECT(TCP_SYN | TCP_ACK, .ack = 1001);
	EXPECT_OPTIONS(MSS(1460), WSCALE(SCRIPT_WSCALE), TS(NOW_MS, 5000));
}

static void expect_half_open(void)
{
	EXPECT_EVENT(ENGINE_NOTHING);
	EXPECT_STATE(ENGINE_SYN_RECEIVED);
}

static void expect_still_completes(void)
{
	ACK_IN(1001, 1);
	EXPECT_EVENT(ENGINE_EVENT_ESTABLISHED);
}

static void completes_with_the_final_ack(void **state)
{
	(void)state;
	open_half();
	AFTER_MS(3);
	EXPECT_SILENCE();
	ACK_IN(1001, 1, WINDOW(512));
	EXPECT_SILENCE();
	EXPECT_EVENT(ENGINE_EVENT_ESTABLISHED);
	EXPECT_STATE(ENGINE_ESTABLISHED);
	assert_int_equal(script_flow()->remote_window, 512);
	assert_int_equal(script_flow()->remote_wl1, 1001);
	assert_int_equal(script_flow()->established_ns - script_flow()->sent_ns,
			 3 * CLOCK_NS_PER_MS);
	assert_int_equal(script_flow()->irs, 1000);
	assert_false(script_flow()->is_active);
	assert_true(engine_deadline_ns(script.engine) == UINT64_MAX);
}

static void scales_the_window_of_the_final_ack(void **state)
{
	(void)state;
	SYN_IN(1000, WSCALE(14), WINDOW(100));
	ACK_IN(1001, 1, WINDOW(65535));
	EXPECT_EVENT(ENGINE_EVENT_ESTABLISHED);
	assert_int_equal(script_flow()->remote_window, 65535u << 14);
}

static void completes_with_data_and_with_a_fin(void **state)
{
	(void)state;
	open_half();
	IN(TCP_PSH | TCP_ACK, 1001, 1, DATA("hello"));
	EXPECT_EVENT(ENGINE_EVENT_ESTABLISHED);
	EXPECT_SILENCE();
	script_tuple("10.0.0.2:80", "10.0.0.1:2");
	open_half();
	IN(TCP_FIN | TCP_ACK, 1001, 1);
	EXPECT_EVENT(ENGINE_EVENT_ESTABLISHED);
	EXPECT_SILENCE();
}

static void completes_with_an_ack_behind_a_gap(void **state)
{
	(void)state;
	open_half_with_timestamps();
	IN(TCP_PSH | TCP_ACK, 1101, 1, TS(5009, 0), DATA("later"));
	EXPECT_EVENT(ENGINE_EVENT_ESTABLISHED);
	EXPECT_SILENCE();
	assert_int_equal(script_flow()->ts_recent, 5000);
}

static void answers_a_duplicate_syn_with_the_same_syn_ack(void **state)
{
	(void)state;
	open_half();
	AFTER_MS(400);
	SYN_IN(1000, MSS(1460));
	EXPECT(TCP_SYN | TCP_ACK, .seq = 0, .ack = 1001, .window = 65535);
	EXPECT_REASON(ENGINE_REASON_DUPLICATE_SYN);
	expect_half_open();
	EXPECT_FLOWS(1);
	expect_still_completes();
}

static void limits_the_answers_to_duplicate_syns(void **state)
{
	(void)state;
	open_half();
	SYN_IN(1000);
	EXPECT(TCP_SYN | TCP_ACK, .ack = 1001);
	AFTER_MS(499);
	SYN_IN(1000);
	EXPECT_SILENCE();
	EXPECT_REASON(ENGINE_REASON_RATE_LIMITED);
	AFTER_MS(1);
	SYN_IN(1000);
	EXPECT(TCP_SYN | TCP_ACK, .ack = 1001);
}

static void keeps_the_timer_over_a_duplicate_syn(void **state)
{
	uint64_t deadline_ns;

	(void)state;
	open_half();
	deadline_ns = engine_deadline_ns(script.engine);
	AFTER_MS(900);
	SYN_IN(1000);
	EXPECT(TCP_SYN | TCP_ACK, .ack = 1001);
	assert_true(engine_deadline_ns(script.engine) == deadline_ns);
	AFTER_MS(100);
	EXPECT(TCP_SYN | TCP_ACK, .ack = 1001);
}

static void echoes_the_timestamp_of_a_duplicate_syn(void **state)
{
	(void)state;
	open_half_with_timestamps();
	AFTER_MS(700);
	SYN_IN(1000, TS(5700, 0));
	EXPECT_OPTIONS(MSS(1460), WSCALE(SCRIPT_WSCALE), TS(NOW_MS, 5700));
}

static void resets_a_new_syn_in_the_window(void **state)
{
	(void)state;
	open_half();
	SYN_IN(2000, DATA("abc"));
	EXPECT(TCP_RST | TCP_ACK, .seq = ABSOLUTE(0), .ack = 2004);
	EXPECT_OPTIONS();
	EXPECT_EVENT(ENGINE_EVENT_RESET);
	EXPECT_REASON(ENGINE_REASON_NEW_SYN);
	assert_non_null(script.action.flow);
	EXPECT_FLOWS(0);
	assert_true(engine_deadline_ns(script.engine) == UINT64_MAX);
}

static void acknowledges_a_new_syn_outside_the_window(void **state)
{
	(void)state;
	open_half();
	SYN_IN(900);
	EXPECT(TCP_ACK, .seq = 1, .ack = 1001, .window = 65535);
	EXPECT_REASON(ENGINE_REASON_OUT_OF_WINDOW);
	expect_half_open();
	AFTER_MS(500);
	SYN_IN(66536);
	EXPECT(TCP_ACK, .seq = 1, .ack = 1001);
	expect_half_open();
	expect_still_completes();
}

static void resets_a_wrong_acknowledgement_number_and_stays(void **state)
{
	const uint32_t wrong[] = {0, 2, 100000, (uint32_t)-1};

	(void)state;
	open_half();
	for (size_t i = 0; i < 4; i++) {
		ACK_IN(1001, wrong[i]);
		EXPECT(TCP_RST, .seq = wrong[i]);
		EXPECT_REASON(ENGINE_REASON_BAD_ACK);
		expect_half_open();
	}
	expect_still_completes();
}

static void acknowledges_an_ack_outside_the_window_and_stays(void **state)
{
	(void)state;
	open_half_with_timestamps();
	AFTER_MS(10);
	ACK_IN(66537, 1, TS(5010, 0));
	EXPECT(TCP_ACK, .seq = 1, .ack = 1001, .window = 65535 >> SCRIPT_WSCALE);
	EXPECT_OPTIONS(TS(NOW_MS, 5000));
	EXPECT_REASON(ENGINE_REASON_OUT_OF_WINDOW);
	expect_half_open();
	AFTER_MS(500);
	ACK_IN(1000, 1);
	EXPECT(TCP_ACK, .seq = 1, .ack = 1001);
	expect_half_open();
	expect_still_completes();
}

static void accepts_the_edges_of_the_window(void **state)
{
	(void)state;
	open_half();
	ACK_IN(999, 1, DATA("abc"));
	EXPECT_EVENT(ENGINE_EVENT_ESTABLISHED);
	script_tuple("10.0.0.2:80", "10.0.0.1:2");
	open_half();
	ACK_IN(66536, 1);
	EXPECT_EVENT(ENGINE_EVENT_ESTABLISHED);
	script_tuple("10.0.0.2:80", "10.0.0.1:3");
	open_half();
	ACK_IN(66536, 1, DATA("x"));
	EXPECT(TCP_ACK, .seq = 1, .ack = 1001);
	expect_half_open();
}

static void sequence_numbers_wrap(void **state)
{
	(void)state;
	SYN_IN(0xffffffff);
	EXPECT(TCP_SYN | TCP_ACK, .ack = 0);
	ACK_IN(0xfffffff0, 1);
	EXPECT(TCP_ACK, .seq = 1, .ack = 0);
	ACK_IN(100, 1);
	EXPECT_EVENT(ENGINE_EVENT_ESTABLISHED);
}

static void limits_the_acks_of_one_flow(void **state)
{
	(void)state;
	open_half();
	ACK_IN(900, 1);
	EXPECT(TCP_ACK, .seq = 1, .ack = 1001);
	ACK_IN(900, 1);
	EXPECT_SILENCE();
	EXPECT_REASON(ENGINE_REASON_RATE_LIMITED);
	AFTER_MS(500);
	ACK_IN(900, 1);
	EXPECT(TCP_ACK, .seq = 1, .ack = 1001);
}

static void does_not_count_data_as_an_ack_loop(void **state)
{
	(void)state;
	open_half();
	for (int i = 0; i < 3; i++) {
		ACK_IN(900, 1, DATA("old"));
		EXPECT(TCP_ACK, .seq = 1, .ack = 1001);
	}
}

static void removes_the_flow_on_an_exact_reset(void **state)
{
	(void)state;
	open_half();
	RST_IN(1001);
	EXPECT_SILENCE();
	EXPECT_EVENT(ENGINE_EVENT_RESET);
	EXPECT_REASON(ENGINE_REASON_REMOTE_RESET);
	EXPECT_FLOWS(0);
	open_half();
	IN(TCP_RST | TCP_ACK, 1001, 77777);
	EXPECT_EVENT(ENGINE_EVENT_RESET);
	EXPECT_FLOWS(0);
}

static void does_not_check_the_timestamps_of_a_reset(void **state)
{
	(void)state;
	open_half_with_timestamps();
	RST_IN(1001, TS(1, 1));
	EXPECT_EVENT(ENGINE_EVENT_RESET);
}

static void challenges_an_inexact_reset_in_the_window(void **state)
{
	(void)state;
	open_half();
	RST_IN(1002);
	EXPECT(TCP_ACK, .seq = 1, .ack = 1001);
	EXPECT_REASON(ENGINE_REASON_CHALLENGE);
	expect_half_open();
	expect_still_completes();
}

static void ignores_a_reset_outside_the_window(void **state)
{
	(void)state;
	open_half();
	RST_IN(1000);
	EXPECT_SILENCE();
	EXPECT_REASON(ENGINE_REASON_OUT_OF_WINDOW);
	RST_IN(66537);
	EXPECT_SILENCE();
	expect_half_open();
	expect_still_completes();
}

static void drops_data_and_fin_without_ack(void **state)
{
	(void)state;
	open_half();
	IN(TCP_FIN, 1001, 0);
	EXPECT_SILENCE();
	EXPECT_REASON(ENGINE_REASON_FLAGS);
	IN(TCP_PSH, 1001, 0, DATA("x"));
	EXPECT_SILENCE();
	EXPECT_REASON(ENGINE_REASON_FLAGS);
	expect_half_open();
}

static void acknowledges_a_syn_ack_and_stays(void **state)
{
	(void)state;
	open_half();
	IN(TCP_SYN | TCP_ACK, 1000, 1);
	EXPECT(TCP_ACK, .seq = 1, .ack = 1001);
	EXPECT_REASON(ENGINE_REASON_OUT_OF_WINDOW);
	expect_half_open();
	AFTER_MS(500);
	IN(TCP_SYN | TCP_ACK, 1000, 1, DATA("x"));
	EXPECT(TCP_ACK, .seq = 1, .ack = 1001);
	expect_half_open();
	expect_still_completes();
}

static void accepts_a_final_ack_without_the_agreed_timestamps(void **state)
{
	(void)state;
	open_half_with_timestamps();
	expect_still_completes();
	assert_true(script_flow()->has_timestamps);
	assert_int_equal(script_flow()->ts_recent, 5000);
}

static void remembers_the_timestamp_of_the_final_ack(void **state)
{
	uint32_t sent_ms = NOW_MS;

	(void)state;
	open_half_with_timestamps();
	AFTER_MS(20);
	ACK_IN(1001, 1, TS(5020, sent_ms));
	EXPECT_EVENT(ENGINE_EVENT_ESTABLISHED);
	assert_int_equal(script_flow()->ts_recent, 5020);
	assert_int_equal(engine_tsval(script_flow(), script.now_ns) - script.ts_offset, NOW_MS);
}

static void acknowledges_an_older_timestamp_and_stays(void **state)
{
	(void)state;
	open_half_with_timestamps();
	ACK_IN(1001, 1, TS(4999, 0));
	EXPECT(TCP_ACK, .seq = 1, .ack = 1001);
	EXPECT_OPTIONS(TS(NOW_MS, 5000));
	EXPECT_REASON(ENGINE_REASON_PAWS);
	expect_half_open();
	ACK_IN(1001, 1, TS(5000, 0));
	EXPECT_EVENT(ENGINE_EVENT_ESTABLISHED);
}

static void does_not_apply_paws_after_a_timestamp_of_0(void **state)
{
	(void)state;
	SYN_IN(1000, TS(0, 0));
	ACK_IN(1001, 1, TS(0xf0000000, 0));
	EXPECT_EVENT(ENGINE_EVENT_ESTABLISHED);
}

static void acknowledges_an_echo_of_what_was_never_sent_and_stays(void **state)
{
	uint32_t sent_ms = NOW_MS;

	(void)state;
	open_half_with_timestamps();
	ACK_IN(1001, 1, TS(5001, sent_ms + 1));
	EXPECT(TCP_ACK, .seq = 1, .ack = 1001);
	EXPECT_REASON(ENGINE_REASON_BAD_TSECR);
	expect_half_open();
	AFTER_MS(600);
	ACK_IN(1001, 1, TS(5001, sent_ms - 1));
	EXPECT(TCP_ACK, .seq = 1, .ack = 1001);
	EXPECT_REASON(ENGINE_REASON_BAD_TSECR);
	ACK_IN(1001, 1, TS(5001, sent_ms + 600));
	EXPECT_EVENT(ENGINE_EVENT_ESTABLISHED);
}

static void ignores_timestamps_that_were_not_agreed(void **state)
{
	(void)state;
	open_half();
	ACK_IN(1001, 1, TS(1, 1));
	EXPECT_EVENT(ENGINE_EVENT_ESTABLISHED);
	assert_int_equal(script_flow()->ts_recent, 0);
}

static void holds_every_segment_of_an_established_flow(void **state)
{
	const uint8_t flags[] = {TCP_ACK,	    TCP_RST, TCP_FIN | TCP_ACK, TCP_SYN,
				 TCP_SYN | TCP_ACK, 0,	     TCP_RST | TCP_ACK};

	(void)state;
	open_half();
	expect_still_completes();
	for (size_t i = 0; i < sizeof(flags); i++) {
		IN(flags[i], 1001 + (uint32_t)i * 40000, 5);
		EXPECT_EVENT(ENGINE_EVENT_HELD);
		EXPECT_SILENCE();
	}
	SYN_IN(1000);
	EXPECT_EVENT(ENGINE_EVENT_HELD);
	EXPECT_SILENCE();
	EXPECT_FLOWS(1);
}

static void forgets_a_released_flow(void **state)
{
	(void)state;
	open_half();
	expect_still_completes();
	script_flow()->owner = &script;
	engine_release(script.engine, script_flow());
	EXPECT_FLOWS(0);
	assert_null(engine_find(script.engine, &script.tuple));
	SYN_IN(1000);
	EXPECT_EVENT(ENGINE_EVENT_SYN);
	assert_null(script_flow()->owner);
}

static void keeps_the_flow_readable_after_its_reset(void **state)
{
	(void)state;
	open_half();
	script_flow()->owner = &script;
	RST_IN(1001);
	assert_ptr_equal(script.action.flow->owner, &script);
	assert_true(tuple_is_equal(&script.action.flow->tuple, &script.tuple));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(completes_with_the_final_ack),
		TEST(scales_the_window_of_the_final_ack),
		TEST(completes_with_data_and_with_a_fin),
		TEST(completes_with_an_ack_behind_a_gap),
		TEST(answers_a_duplicate_syn_with_the_same_syn_ack),
		TEST(limits_the_answers_to_duplicate_syns),
		TEST(keeps_the_timer_over_a_duplicate_syn),
		TEST(echoes_the_timestamp_of_a_duplicate_syn),
		TEST(resets_a_new_syn_in_the_window),
		TEST(acknowledges_a_new_syn_outside_the_window),
		TEST(resets_a_wrong_acknowledgement_number_and_stays),
		TEST(acknowledges_an_ack_outside_the_window_and_stays),
		TEST(accepts_the_edges_of_the_window),
		TEST(sequence_numbers_wrap),
		TEST(limits_the_acks_of_one_flow),
		TEST(does_not_count_data_as_an_ack_loop),
		TEST(removes_the_flow_on_an_exact_reset),
		TEST(does_not_check_the_timestamps_of_a_reset),
		TEST(challenges_an_inexact_reset_in_the_window),
		TEST(ignores_a_reset_outside_the_window),
		TEST(drops_data_and_fin_without_ack),
		TEST(acknowledges_a_syn_ack_and_stays),
		TEST(accepts_a_final_ack_without_the_agreed_timestamps),
		TEST(remembers_the_timestamp_of_the_final_ack),
		TEST(acknowledges_an_older_timestamp_and_stays),
		TEST(does_not_apply_paws_after_a_timestamp_of_0),
		TEST(acknowledges_an_echo_of_what_was_never_sent_and_stays),
		TEST(ignores_timestamps_that_were_not_agreed),
		TEST(holds_every_segment_of_an_established_flow),
		TEST(forgets_a_released_flow),
		TEST(keeps_the_flow_readable_after_its_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
