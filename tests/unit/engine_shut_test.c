/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A tarpit: connections that the engine keeps, with a window of 0. */
#include "engine_script.h"

#define HOLD_S 600

static int setup(void **state)
{
	script_setup(state);
	script.config.shut_ns = HOLD_S * CLOCK_NS_PER_S;
	script.config.settings.v4.window[0] = script.config.settings.v4.window[1] = 0;
	script.config.settings.offers = 0;
	script_restart();
	return 0;
}

#define SHUT_TEST(name) cmocka_unit_test_setup_teardown(name, setup, script_teardown)

static void open_half(void)
{
	SYN_IN(1000, MSS(1460), WSCALE(7), SACK_OK, TS(1, 0));
	EXPECT(TCP_SYN | TCP_ACK, .ack = 1001);
	EXPECT_OPTIONS(MSS(1460));
	assert_int_equal(script.action.reply.window, 0);
}

static void be_let_in(void)
{
	open_half();
	ACK_IN(1001, 1);
	EXPECT_EVENT(ENGINE_EVENT_ESTABLISHED);
	EXPECT_STATE(ENGINE_SHUT);
	EXPECT_SILENCE();
	assert_int_equal(engine_shut_count(script.engine), 1);
}

static void expect_shut_window(void)
{
	EXPECT_EVENT(ENGINE_NOTHING);
	EXPECT_REASON(ENGINE_REASON_SHUT);
	EXPECT(TCP_ACK, .seq = 1, .ack = 1001);
	EXPECT_OPTIONS();
	assert_int_equal(script.action.reply.window, 0);
}

static void expect_ignored(void)
{
	EXPECT_EVENT(ENGINE_NOTHING);
	EXPECT_SILENCE();
	EXPECT_STATE(ENGINE_SHUT);
}

static void probes_are_answered_for_as_long_as_they_come(void **state)
{
	(void)state;
	be_let_in();
	for (int i = 0; i < 4; i++) {
		AFTER_MS(120000);
		ACK_IN(1000, 1); /* Linux: a number that was acknowledged */
		expect_shut_window();
	}
	AFTER_MS(1000);
	ACK_IN(1001, 1, DATA("h")); /* BSD: a byte of what waits */
	expect_shut_window();
}

static void what_needs_no_answer_gets_none(void **state)
{
	(void)state;
	be_let_in();
	ACK_IN(1001, 1);
	expect_ignored();
}

static void answers_to_one_flow_are_few(void **state)
{
	(void)state;
	be_let_in();
	ACK_IN(1001, 1, DATA("hello"));
	expect_shut_window();
	ACK_IN(1006, 1, DATA("hello"));
	expect_ignored();
	EXPECT_REASON(ENGINE_REASON_RATE_LIMITED);
	AFTER_MS(500);
	ACK_IN(1001, 1, DATA("hello"));
	expect_shut_window();
}

static void data_on_the_final_ack_is_not_taken(void **state)
{
	(void)state;
	open_half();
	ACK_IN(1001, 1, DATA("hello"));
	EXPECT_EVENT(ENGINE_EVENT_ESTABLISHED);
	EXPECT(TCP_ACK, .seq = 1, .ack = 1001);
	assert_int_equal(script.action.reply.window, 0);
}

static void an_exact_rst_ends_it_and_no_other(void **state)
{
	(void)state;
	be_let_in();
	RST_IN(1002);
	expect_ignored();
	RST_IN(1000);
	expect_ignored();
	RST_IN(1001);
	EXPECT_EVENT(ENGINE_EVENT_CLOSED);
	EXPECT_REASON(ENGINE_REASON_REMOTE_RESET);
	EXPECT_SILENCE();
	EXPECT_FLOWS(0);
	assert_int_equal(engine_shut_count(script.engine), 0);
}

static void a_syn_gets_a_challenge(void **state)
{
	(void)state;
	be_let_in();
	SYN_IN(777000, MSS(1460));
	EXPECT(TCP_ACK, .seq = 1, .ack = 1001);
	EXPECT_STATE(ENGINE_SHUT);
}

static void a_wrong_ack_gets_a_challenge(void **state)
{
	(void)state;
	be_let_in();
	ACK_IN(1001, 5);
	EXPECT(TCP_ACK, .seq = 1, .ack = 1001);
	EXPECT_STATE(ENGINE_SHUT);
}

static void it_is_over_when_its_time_is(void **state)
{
	(void)state;
	be_let_in();
	AFTER_MS(HOLD_S * 1000 - 1);
	expect_ignored();
	AFTER_MS(1);
	EXPECT_EVENT(ENGINE_EVENT_CLOSED);
	EXPECT_REASON(ENGINE_REASON_SHUT_TIME);
	EXPECT_SILENCE();
	EXPECT_FLOWS(0);
}

static void two_minutes_behind_the_last_fin_it_is_over(void **state)
{
	(void)state;
	be_let_in();
	IN(TCP_ACK | TCP_FIN, 1001, 1);
	expect_shut_window();
	AFTER_MS(100000);
	IN(TCP_ACK | TCP_FIN, 1001, 1);
	expect_shut_window();
	AFTER_MS(119999);
	expect_ignored();
	AFTER_MS(1);
	EXPECT_EVENT(ENGINE_EVENT_CLOSED);
	EXPECT_REASON(ENGINE_REASON_SHUT_END);
}

static void fins_do_not_make_it_longer(void **state)
{
	(void)state;
	be_let_in();
	for (int i = 0; i < 6; i++) {
		AFTER_MS(90000);
		IN(TCP_ACK | TCP_FIN, 1001, 1);
		expect_shut_window();
	}
	AFTER_MS(60000);
	EXPECT_EVENT(ENGINE_EVENT_CLOSED);
	EXPECT_FLOWS(0);
}

static void who_is_behind_another_waits_as_long(void **state)
{
	(void)state;
	be_let_in();
	AFTER_MS(1000);
	FROM_PORT(2);
	open_half();
	AFTER_MS(10);
	ACK_IN(1001, 1);
	EXPECT_EVENT(ENGINE_EVENT_ESTABLISHED);
	AFTER_MS(HOLD_S * 1000 - 1010);
	EXPECT_EVENT(ENGINE_EVENT_CLOSED);
	AFTER_MS(1009);
	EXPECT_EVENT(ENGINE_NOTHING);
	AFTER_MS(1);
	EXPECT_EVENT(ENGINE_EVENT_CLOSED);
}

static void a_cookies_flow_is_kept_as_well(void **state)
{
	const struct nol_terms terms = {.mss = 1460};
	struct segment segment = {
		.tuple = script.tuple,
		.seq = 1001,
		.ack = 9001,
		.flags = TCP_ACK | TCP_FIN,
		.checksum = CHECKSUM_VALID,
	};

	(void)state;
	engine_adopt(script.engine, &segment, &terms, script.now_ns, &script.action);
	EXPECT_EVENT(ENGINE_EVENT_ESTABLISHED);
	EXPECT_STATE(ENGINE_SHUT);
	assert_true(script.action.has_reply);
	assert_int_equal(script.action.reply.ack, 1001);
	assert_int_equal(script.action.reply.seq, 9001);
}

static void active_opens_are_handed_off(void **state)
{
	(void)state;
	CONNECT();
	IN(TCP_SYN | TCP_ACK, 1000, 1, MSS(1460));
	EXPECT_EVENT(ENGINE_EVENT_ESTABLISHED);
	EXPECT_STATE(ENGINE_ESTABLISHED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SHUT_TEST(probes_are_answered_for_as_long_as_they_come),
		SHUT_TEST(what_needs_no_answer_gets_none),
		SHUT_TEST(answers_to_one_flow_are_few),
		SHUT_TEST(data_on_the_final_ack_is_not_taken),
		SHUT_TEST(an_exact_rst_ends_it_and_no_other),
		SHUT_TEST(a_syn_gets_a_challenge),
		SHUT_TEST(a_wrong_ack_gets_a_challenge),
		SHUT_TEST(it_is_over_when_its_time_is),
		SHUT_TEST(two_minutes_behind_the_last_fin_it_is_over),
		SHUT_TEST(fins_do_not_make_it_longer),
		SHUT_TEST(who_is_behind_another_waits_as_long),
		SHUT_TEST(a_cookies_flow_is_kept_as_well),
		SHUT_TEST(active_opens_are_handed_off),
	};

	return cmocka_run_group_tests_name("engine, shut", tests, NULL, NULL);
}
