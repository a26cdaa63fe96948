/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A tarpit: connections with a window of 0, of which nothing is kept but a struct engine_shut. */
#include "engine_script.h"

#include <abi/shut.h>

#define HOLD_NS (600 * CLOCK_NS_PER_S)
#define ISS 8999u
#define IRS 1000u

static struct engine_shut shut;
static uint64_t begun_ns;

static int setup(void **state)
{
	const struct engine_flow flow = {.iss = ISS, .irs = IRS};

	script_setup(state);
	begun_ns = script.now_ns;
	engine_shut_begin(&shut, &flow, script.now_ns);
	return 0;
}

#define SHUT_TEST(name) cmocka_unit_test_setup_teardown(name, setup, script_teardown)

/* Of the remote's; true: it goes on. */
static bool in(uint8_t flags, uint32_t seq, uint32_t ack, const char *data)
{
	const struct segment segment = {
		.tuple = script.tuple,
		.seq = seq,
		.ack = ack,
		.flags = flags,
		.checksum = CHECKSUM_VALID,
		.payload = (const uint8_t *)data,
		.payload_len = strlen(data),
	};

	return engine_shut_input(&shut, &segment, script.now_ns, &script.action);
}

static void expect_answer(uint8_t flags, uint32_t seq, uint32_t ack, const char *data)
{
	const struct segment *reply = &script.action.reply;

	assert_true(in(flags, seq, ack, data));
	assert_int_equal(script.action.reason, ENGINE_REASON_SHUT);
	assert_true(script.action.has_reply);
	script_check_reply(reply);
	assert_int_equal(reply->seq, ISS + 1);
	assert_int_equal(reply->ack, IRS + 1);
	assert_int_equal(reply->flags, TCP_ACK);
	assert_int_equal(reply->window, 0);
}

static void expect_silence(uint8_t flags, uint32_t seq, uint32_t ack, const char *data)
{
	assert_true(in(flags, seq, ack, data));
	assert_false(script.action.has_reply);
}

static void wait_ms(uint64_t ms)
{
	script.now_ns += ms * CLOCK_NS_PER_MS;
}

static uint64_t time_left_ms(void)
{
	return (engine_shut_deadline_ns(&shut, begun_ns, HOLD_NS, script.now_ns) - script.now_ns) /
	       CLOCK_NS_PER_MS;
}

static void probes_are_answered_for_as_long_as_they_come(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		expect_answer(TCP_ACK, IRS, ISS + 1,
			      ""); /* Linux: a number that was acknowledged */
		wait_ms(120000);
	}
	expect_answer(TCP_ACK, IRS + 1, ISS + 1, "h"); /* BSD: a byte of what waits */
}

static void what_needs_no_answer_gets_none(void **state)
{
	(void)state;
	expect_silence(TCP_ACK, IRS + 1, ISS + 1, "");
	assert_int_equal(script.action.reason, ENGINE_REASON_NONE);
}

static void answers_are_few(void **state)
{
	(void)state;
	expect_answer(TCP_ACK, IRS + 1, ISS + 1, "hello");
	expect_silence(TCP_ACK, IRS + 6, ISS + 1, "hello");
	assert_int_equal(script.action.reason, ENGINE_REASON_RATE_LIMITED);
	wait_ms(NOL_SHUT_QUIET_MS);
	expect_answer(TCP_ACK, IRS + 1, ISS + 1, "hello");
}

static void an_exact_rst_ends_it_and_no_other(void **state)
{
	(void)state;
	expect_silence(TCP_RST, IRS + 2, 0, "");
	expect_silence(TCP_RST | TCP_ACK, IRS, ISS + 1, "");
	assert_int_equal(script.action.reason, ENGINE_REASON_OUT_OF_WINDOW);
	assert_false(in(TCP_RST, IRS + 1, 0, ""));
	assert_int_equal(script.action.reason, ENGINE_REASON_REMOTE_RESET);
	assert_false(script.action.has_reply);
}

static void a_rst_with_a_bad_checksum_ends_nothing(void **state)
{
	const struct segment rst = {
		.tuple = script.tuple,
		.seq = IRS + 1,
		.flags = TCP_RST,
		.checksum = CHECKSUM_BAD,
	};

	(void)state;
	assert_true(engine_shut_input(&shut, &rst, script.now_ns, &script.action));
	assert_int_equal(script.action.reason, ENGINE_REASON_BAD_CHECKSUM);
}

static void syns_wrong_acks_and_no_ack_are_answered(void **state)
{
	(void)state;
	expect_answer(TCP_SYN, 777000, 0, "");
	wait_ms(NOL_SHUT_QUIET_MS);
	expect_answer(TCP_ACK, IRS + 1, ISS + 5, "");
	wait_ms(NOL_SHUT_QUIET_MS);
	expect_answer(TCP_PSH, IRS + 1, 0, "x");
}

static void it_is_over_when_its_time_is(void **state)
{
	(void)state;
	assert_int_equal(time_left_ms(), 600000);
	wait_ms(300000);
	expect_answer(TCP_ACK, IRS, ISS + 1, "");
	assert_int_equal(time_left_ms(), 300000);
}

static void or_two_minutes_behind_the_last_answer_to_who_has_ended(void **state)
{
	(void)state;
	expect_answer(TCP_ACK | TCP_FIN, IRS + 1, ISS + 1, "");
	assert_in_range(time_left_ms(), 119999, 120000);
	wait_ms(100000);
	assert_in_range(time_left_ms(), 19998, 20001);
	expect_answer(TCP_ACK | TCP_FIN, IRS + 1, ISS + 1, "");
	assert_in_range(time_left_ms(), 119999, 120000);
	wait_ms(450000);
	expect_answer(TCP_ACK | TCP_FIN, IRS + 1, ISS + 1, "");
	assert_int_equal(time_left_ms(), 50000);
}

/* 100 s after a final ACK that was lost the first that comes is a window probe. */
static void a_cookie_that_a_probe_brings_back_has_the_probes_number_for_its_isn(void **state)
{
	const struct nol_terms terms = {.mss = 1460, .options = NOL_TERM_PROBE};
	const struct segment probe = {
		.tuple = script.tuple,
		.seq = IRS,
		.ack = ISS + 1,
		.flags = TCP_ACK,
		.checksum = CHECKSUM_VALID,
	};

	(void)state;
	engine_adopt(script.engine, &probe, &terms, script.now_ns, &script.action);
	EXPECT_EVENT(ENGINE_EVENT_ESTABLISHED);
	engine_shut_begin(&shut, script.action.flow, script.now_ns);
	expect_answer(TCP_ACK, IRS, ISS + 1, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SHUT_TEST(probes_are_answered_for_as_long_as_they_come),
		SHUT_TEST(what_needs_no_answer_gets_none),
		SHUT_TEST(answers_are_few),
		SHUT_TEST(an_exact_rst_ends_it_and_no_other),
		SHUT_TEST(a_rst_with_a_bad_checksum_ends_nothing),
		SHUT_TEST(syns_wrong_acks_and_no_ack_are_answered),
		SHUT_TEST(it_is_over_when_its_time_is),
		SHUT_TEST(or_two_minutes_behind_the_last_answer_to_who_has_ended),
		SHUT_TEST(a_cookie_that_a_probe_brings_back_has_the_probes_number_for_its_isn),
	};

	return cmocka_run_group_tests_name("engine, shut", tests, NULL, NULL);
}
