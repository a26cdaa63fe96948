/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* SYN-RECEIVED of a passive open: what is answered, what is ignored, and what ends it. */
#include "engine_script.h"

/* The window is 65535: 1001 is the first sequence number in it, 66535 the last. */
static void open_half(void)
{
	SYN_IN(1000, MSS(1460));
	EXPECT(TCP_SYN | TCP_ACK, .ack = 1001);
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

static void counts_a_fin_beside_the_new_syn(void **state)
{
	(void)state;
	open_half();
	IN(TCP_SYN | TCP_FIN, 2000, 0);
	EXPECT(TCP_RST | TCP_ACK, .seq = ABSOLUTE(0), .ack = 2002);
	EXPECT_REASON(ENGINE_REASON_NEW_SYN);
}

static void takes_a_duplicate_syn_with_data_or_fin_for_a_duplicate(void **state)
{
	(void)state;
	open_half();
	SYN_IN(1000, DATA("xyz"));
	EXPECT(TCP_SYN | TCP_ACK, .ack = 1001);
	AFTER_MS(500);
	IN(TCP_SYN | TCP_FIN, 1000, 0);
	EXPECT(TCP_SYN | TCP_ACK, .ack = 1001);
	expect_half_open();
}

static void resets_a_new_syn_ack_in_the_window(void **state)
{
	(void)state;
	open_half();
	IN(TCP_SYN | TCP_ACK, 2000, 1);
	EXPECT(TCP_RST, .seq = 1);
	EXPECT_EVENT(ENGINE_EVENT_RESET);
	EXPECT_REASON(ENGINE_REASON_NEW_SYN);
}

static void checks_the_acknowledgement_number_before_the_window(void **state)
{
	(void)state;
	open_half();
	ACK_IN(90000, 5);
	EXPECT(TCP_RST, .seq = 5);
	EXPECT_REASON(ENGINE_REASON_BAD_ACK);
	expect_half_open();
}

static void ignores_a_duplicate_syn_with_rst(void **state)
{
	(void)state;
	open_half();
	IN(TCP_SYN | TCP_RST, 1000, 0);
	EXPECT_SILENCE();
	expect_half_open();
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

/* A socket without a key drops them, whatever their flags (RFC 2385, 2.0). */
static void ignores_what_is_signed(void **state)
{
	(void)state;
	SYN_IN(1000, MSS(1460), SIGNED);
	EXPECT_SILENCE();
	EXPECT_REASON(ENGINE_REASON_SIGNATURE);
	EXPECT_FLOWS(0);
	ACK_IN(1000, 77, SIGNED);
	EXPECT_SILENCE();
	open_half();
	ACK_IN(1001, 1, SIGNED);
	EXPECT_SILENCE();
	expect_half_open();
	RST_IN(1001, SIGNED);
	expect_half_open();
	expect_still_completes();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(answers_a_duplicate_syn_with_the_same_syn_ack),
		TEST(limits_the_answers_to_duplicate_syns),
		TEST(keeps_the_timer_over_a_duplicate_syn),
		TEST(resets_a_new_syn_in_the_window),
		TEST(counts_a_fin_beside_the_new_syn),
		TEST(takes_a_duplicate_syn_with_data_or_fin_for_a_duplicate),
		TEST(resets_a_new_syn_ack_in_the_window),
		TEST(checks_the_acknowledgement_number_before_the_window),
		TEST(ignores_a_duplicate_syn_with_rst),
		TEST(acknowledges_a_new_syn_outside_the_window),
		TEST(resets_a_wrong_acknowledgement_number_and_stays),
		TEST(accepts_the_edges_of_the_window),
		TEST(sequence_numbers_wrap),
		TEST(limits_the_acks_of_one_flow),
		TEST(does_not_count_data_as_an_ack_loop),
		TEST(removes_the_flow_on_an_exact_reset),
		TEST(challenges_an_inexact_reset_in_the_window),
		TEST(ignores_a_reset_outside_the_window),
		TEST(drops_data_and_fin_without_ack),
		TEST(acknowledges_a_syn_ack_and_stays),
		TEST(ignores_what_is_signed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
