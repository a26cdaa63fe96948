/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Timestamps in SYN-RECEIVED: PAWS, echoes, and what is remembered (RFC 7323). */
#include "engine_script.h"

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

static void goes_on_echoing_the_first_syns_timestamp(void **state)
{
	(void)state;
	open_half_with_timestamps();
	AFTER_MS(700);
	SYN_IN(1000, TS(5700, 0));
	EXPECT_OPTIONS(MSS(1460), WSCALE(SCRIPT_WSCALE), TS(NOW_MS, 5000));
}

static void acknowledges_a_duplicate_syn_with_an_older_timestamp(void **state)
{
	(void)state;
	open_half_with_timestamps();
	SYN_IN(1000, TS(4999, 0));
	EXPECT(TCP_ACK, .seq = 1, .ack = 1001);
	EXPECT_OPTIONS(TS(NOW_MS, 5000));
	EXPECT_REASON(ENGINE_REASON_PAWS);
	expect_half_open();
}

static void ignores_a_reset_with_an_older_timestamp(void **state)
{
	(void)state;
	open_half_with_timestamps();
	RST_IN(1001, TS(1, 0));
	EXPECT_SILENCE();
	EXPECT_REASON(ENGINE_REASON_PAWS);
	expect_half_open();
}

static void ignores_a_reset_that_echoes_what_was_never_sent(void **state)
{
	(void)state;
	open_half_with_timestamps();
	RST_IN(1001, TS(5001, 1));
	EXPECT_SILENCE();
	EXPECT_REASON(ENGINE_REASON_BAD_TSECR);
	expect_half_open();
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

static void completes_with_an_ack_behind_a_gap(void **state)
{
	(void)state;
	open_half_with_timestamps();
	IN(TCP_PSH | TCP_ACK, 1101, 1, TS(5009, 0), DATA("later"));
	EXPECT_EVENT(ENGINE_EVENT_ESTABLISHED);
	EXPECT_SILENCE();
	assert_int_equal(script_flow()->ts_recent, 5000);
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

static void accepts_the_echo_of_a_timestamp_in_an_ack(void **state)
{
	uint32_t acked_ms;

	(void)state;
	open_half_with_timestamps();
	AFTER_MS(100);
	acked_ms = NOW_MS;
	ACK_IN(900, 1, TS(5001, 0));
	EXPECT_OPTIONS(TS(acked_ms, 5000));
	AFTER_MS(1);
	ACK_IN(1001, 1, TS(5002, acked_ms));
	EXPECT_EVENT(ENGINE_EVENT_ESTABLISHED);
}

static void ignores_timestamps_that_were_not_agreed(void **state)
{
	(void)state;
	SYN_IN(1000, MSS(1460));
	ACK_IN(1001, 1, TS(1, 1));
	EXPECT_EVENT(ENGINE_EVENT_ESTABLISHED);
	assert_int_equal(script_flow()->ts_recent, 0);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(goes_on_echoing_the_first_syns_timestamp),
		TEST(acknowledges_a_duplicate_syn_with_an_older_timestamp),
		TEST(ignores_a_reset_with_an_older_timestamp),
		TEST(ignores_a_reset_that_echoes_what_was_never_sent),
		TEST(accepts_a_final_ack_without_the_agreed_timestamps),
		TEST(remembers_the_timestamp_of_the_final_ack),
		TEST(completes_with_an_ack_behind_a_gap),
		TEST(acknowledges_an_older_timestamp_and_stays),
		TEST(does_not_apply_paws_after_a_timestamp_of_0),
		TEST(acknowledges_an_echo_of_what_was_never_sent_and_stays),
		TEST(accepts_the_echo_of_a_timestamp_in_an_ack),
		TEST(ignores_timestamps_that_were_not_agreed),
		TEST(acknowledges_an_ack_outside_the_window_and_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
