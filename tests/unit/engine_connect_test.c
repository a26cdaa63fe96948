/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Active opens: SYN-SENT, simultaneous open, and what ends them. */
#include "engine_script.h"

static void open_active(void)
{
	CONNECT();
	EXPECT(TCP_SYN, .seq = 0, .ack = 0);
}

/* Both SYNs are out, and so is our SYN-ACK. */
static void open_crossing(void)
{
	open_active();
	SYN_IN(1000, MSS(1400), WSCALE(3));
	EXPECT(TCP_SYN | TCP_ACK, .seq = 0, .ack = 1001, .window = 65535);
}

static void expect_syn_sent(void)
{
	EXPECT_EVENT(ENGINE_NOTHING);
	EXPECT_STATE(ENGINE_SYN_SENT);
}

static void expect_half_open(void)
{
	EXPECT_EVENT(ENGINE_NOTHING);
	EXPECT_STATE(ENGINE_SYN_RECEIVED);
}

static void sends_a_syn_with_every_option(void **state)
{
	(void)state;
	CONNECT();
	EXPECT(TCP_SYN, .seq = 0, .ack = 0, .window = 65535);
	EXPECT_OPTIONS(MSS(1460), WSCALE(SCRIPT_WSCALE), SACK_OK, TS(NOW_MS, 0));
	expect_syn_sent();
	EXPECT_FLOWS(1);
	assert_true(script_flow()->is_active);
}

static void completes_with_the_syn_ack(void **state)
{
	uint32_t sent_ms = NOW_MS;

	(void)state;
	open_active();
	AFTER_MS(5);
	IN(TCP_SYN | TCP_ACK, 1000, 1, MSS(1400), WSCALE(9), SACK_OK, TS(700, sent_ms),
	   WINDOW(3000));
	EXPECT(TCP_ACK, .seq = 1, .ack = 1001, .window = 65535 >> SCRIPT_WSCALE);
	EXPECT_OPTIONS(TS(NOW_MS, 700));
	EXPECT_EVENT(ENGINE_EVENT_ESTABLISHED);
	assert_int_equal(script_flow()->remote_window, 3000);
	assert_int_equal(script_flow()->remote_wl1, 1000);
	assert_int_equal(script_flow()->remote_wscale, 9);
	assert_int_equal(script_flow()->remote_mss, 1400);
	assert_int_equal(script_flow()->irs, 1000);
	assert_int_equal(script_flow()->ts_recent, 700);
	assert_true(script_flow()->has_sack);
	assert_true(engine_deadline_ns(script.engine) == UINT64_MAX);
}

static void agrees_to_nothing_that_the_syn_ack_leaves_out(void **state)
{
	(void)state;
	open_active();
	IN(TCP_SYN | TCP_ACK, 1000, 1);
	EXPECT(TCP_ACK, .seq = 1, .ack = 1001, .window = 65535);
	EXPECT_OPTIONS();
	assert_false(script_flow()->has_wscale);
	assert_false(script_flow()->has_sack);
	assert_false(script_flow()->has_timestamps);
	assert_int_equal(script_flow()->remote_mss, 536);
}

static void holds_what_follows_the_syn_ack(void **state)
{
	(void)state;
	open_active();
	IN(TCP_SYN | TCP_ACK, 1000, 1);
	IN(TCP_PSH | TCP_ACK, 1001, 1, DATA("220 ready"));
	EXPECT_EVENT(ENGINE_EVENT_HELD);
	EXPECT_SILENCE();
}

static void resets_a_syn_ack_that_acknowledges_something_else(void **state)
{
	const uint32_t wrong[] = {0, 2, 4000};

	(void)state;
	open_active();
	for (size_t i = 0; i < 3; i++) {
		IN(TCP_SYN | TCP_ACK, 1000, wrong[i]);
		EXPECT(TCP_RST, .seq = wrong[i]);
		EXPECT_REASON(ENGINE_REASON_BAD_ACK);
		expect_syn_sent();
	}
}

static void resets_an_echo_of_what_was_never_sent(void **state)
{
	uint32_t sent_ms = NOW_MS;

	(void)state;
	open_active();
	IN(TCP_SYN | TCP_ACK, 1000, 1, TS(1, sent_ms - 1));
	EXPECT(TCP_RST, .seq = 1);
	EXPECT_REASON(ENGINE_REASON_BAD_TSECR);
	expect_syn_sent();
	IN(TCP_SYN | TCP_ACK, 1000, 1, TS(1, sent_ms));
	EXPECT_EVENT(ENGINE_EVENT_ESTABLISHED);
}

static void is_refused_by_a_reset_of_its_syn(void **state)
{
	(void)state;
	open_active();
	IN(TCP_RST | TCP_ACK, 0, 1);
	EXPECT_SILENCE();
	EXPECT_EVENT(ENGINE_EVENT_RESET);
	EXPECT_REASON(ENGINE_REASON_REMOTE_RESET);
	EXPECT_FLOWS(0);
}

static void ignores_resets_of_something_else(void **state)
{
	(void)state;
	open_active();
	IN(TCP_RST | TCP_ACK, 0, 2);
	EXPECT_SILENCE();
	expect_syn_sent();
	RST_IN(0);
	EXPECT_SILENCE();
	expect_syn_sent();
	IN(TCP_RST | TCP_ACK, 0, 1, TS(1, 1));
	EXPECT_SILENCE();
	EXPECT_REASON(ENGINE_REASON_BAD_TSECR);
	expect_syn_sent();
}

static void ignores_an_ack_without_syn(void **state)
{
	(void)state;
	open_active();
	ACK_IN(1000, 1);
	EXPECT_SILENCE();
	EXPECT_REASON(ENGINE_REASON_FLAGS);
	expect_syn_sent();
}

static void answers_a_crossing_syn_with_the_same_iss(void **state)
{
	(void)state;
	open_active();
	AFTER_MS(10);
	SYN_IN(1000, MSS(1400), SACK_OK, TS(700, 0));
	EXPECT(TCP_SYN | TCP_ACK, .seq = 0, .ack = 1001, .window = 65535);
	EXPECT_OPTIONS(MSS(1460), SACK_OK, TS(NOW_MS, 700));
	expect_half_open();
	assert_true(script_flow()->is_active);
}

static void completes_a_simultaneous_open_with_the_crossing_syn_ack(void **state)
{
	(void)state;
	open_crossing();
	IN(TCP_SYN | TCP_ACK, 1000, 1, MSS(1400), WSCALE(3), WINDOW(4000));
	EXPECT(TCP_ACK, .seq = 1, .ack = 1001);
	EXPECT_EVENT(ENGINE_EVENT_ESTABLISHED);
	assert_int_equal(script_flow()->remote_window, 4000);
}

static void completes_a_simultaneous_open_with_an_ack(void **state)
{
	(void)state;
	open_crossing();
	IN(TCP_PSH | TCP_ACK, 1001, 1, DATA("x"), WINDOW(4000));
	EXPECT_SILENCE();
	EXPECT_EVENT(ENGINE_EVENT_ESTABLISHED);
	assert_int_equal(script_flow()->remote_window, 4000 << 3);
}

static void acknowledges_a_crossing_syn_ack_that_acknowledges_something_else(void **state)
{
	(void)state;
	open_crossing();
	IN(TCP_SYN | TCP_ACK, 1000, 7);
	EXPECT(TCP_ACK, .seq = 1, .ack = 1001);
	EXPECT_REASON(ENGINE_REASON_OUT_OF_WINDOW);
	expect_half_open();
}

static void resets_a_wrong_acknowledgement_number_in_a_simultaneous_open(void **state)
{
	(void)state;
	open_crossing();
	ACK_IN(1001, 7);
	EXPECT(TCP_RST, .seq = 7);
	EXPECT_REASON(ENGINE_REASON_BAD_ACK);
	expect_half_open();
	ACK_IN(900, 7);
	EXPECT(TCP_ACK, .seq = 1, .ack = 1001);
	EXPECT_REASON(ENGINE_REASON_OUT_OF_WINDOW);
	expect_half_open();
}

static void checks_the_timestamps_of_a_crossing_syn_ack(void **state)
{
	uint32_t sent_ms = NOW_MS;

	(void)state;
	open_active();
	SYN_IN(1000, TS(700, 0));
	IN(TCP_SYN | TCP_ACK, 1000, 1, TS(699, 0));
	EXPECT(TCP_ACK, .seq = 1, .ack = 1001);
	EXPECT_REASON(ENGINE_REASON_PAWS);
	expect_half_open();
	IN(TCP_SYN | TCP_ACK, 1000, 1, TS(700, sent_ms));
	EXPECT_EVENT(ENGINE_EVENT_ESTABLISHED);
}

static void challenges_a_new_syn_during_a_simultaneous_open(void **state)
{
	(void)state;
	open_crossing();
	SYN_IN(2000);
	EXPECT(TCP_ACK, .seq = 1, .ack = 1001);
	EXPECT_REASON(ENGINE_REASON_CHALLENGE);
	expect_half_open();
}

static void is_reset_during_a_simultaneous_open(void **state)
{
	(void)state;
	open_crossing();
	RST_IN(1001);
	EXPECT_EVENT(ENGINE_EVENT_RESET);
	EXPECT_FLOWS(0);
}

/* Two engines that call each other at the same moment, with nothing lost. */
static void two_engines_meet(void **state)
{
	struct engine *other = NULL;
	struct engine_action here, there;
	struct tuple mirrored = {.local = script_endpoint("10.0.0.1:50814"),
				 .remote = script_endpoint("10.0.0.2:80")};
	struct segment syn_here, syn_there;

	(void)state;
	script.config.key[0] ^= 1;
	assert_int_equal(engine_new(&other, &script.config), 0);
	CONNECT();
	syn_here = script.action.reply;
	assert_int_equal(engine_connect(other, &mirrored, NULL, script.now_ns, &there), 0);
	syn_there = there.reply;
	syn_here.tuple = mirrored;
	syn_there.tuple = script.tuple;
	engine_input(script.engine, &syn_there, script.now_ns, NULL, &here);
	engine_input(other, &syn_here, script.now_ns, NULL, &there);
	assert_int_equal(here.reply.flags, TCP_SYN | TCP_ACK);
	assert_int_equal(there.reply.flags, TCP_SYN | TCP_ACK);
	here.reply.tuple = mirrored;
	there.reply.tuple = script.tuple;
	syn_here = here.reply;
	engine_input(script.engine, &there.reply, script.now_ns, NULL, &here);
	engine_input(other, &syn_here, script.now_ns, NULL, &there);
	assert_int_equal(here.event, ENGINE_EVENT_ESTABLISHED);
	assert_int_equal(there.event, ENGINE_EVENT_ESTABLISHED);
	assert_int_equal(here.flow->iss, there.flow->irs);
	assert_int_equal(here.flow->irs, there.flow->iss);
	engine_free(other);
}

static void sends_its_syn_again_and_gives_up(void **state)
{
	(void)state;
	script.config.syn_retries = 2;
	script_restart();
	open_active();
	AFTER_MS(1000);
	EXPECT(TCP_SYN, .seq = 0);
	EXPECT_OPTIONS(MSS(1460), WSCALE(SCRIPT_WSCALE), SACK_OK, TS(NOW_MS, 0));
	AFTER_MS(2000);
	EXPECT(TCP_SYN, .seq = 0);
	AFTER_MS(3999);
	EXPECT_SILENCE();
	AFTER_MS(1);
	EXPECT_SILENCE();
	EXPECT_EVENT(ENGINE_EVENT_EXPIRED);
	EXPECT_FLOWS(0);
}

static void accepts_the_echo_of_any_syn_that_was_sent(void **state)
{
	uint32_t first_ms = NOW_MS;

	(void)state;
	open_active();
	AFTER_MS(1000);
	AFTER_MS(5);
	IN(TCP_SYN | TCP_ACK, 1000, 1, TS(1, first_ms + 1001));
	EXPECT(TCP_RST, .seq = 1);
	IN(TCP_SYN | TCP_ACK, 1000, 1, TS(1, first_ms + 1000));
	EXPECT_EVENT(ENGINE_EVENT_ESTABLISHED);
}

static void starts_the_retransmissions_of_its_syn_ack_anew(void **state)
{
	(void)state;
	script.config.syn_retries = 6;
	script.config.settings.syn_ack_retries = 1;
	script_restart();
	open_active();
	AFTER_MS(1000);
	AFTER_MS(2000);
	SYN_IN(1000);
	AFTER_MS(1000);
	EXPECT(TCP_SYN | TCP_ACK, .seq = 0, .ack = 1001);
	AFTER_MS(2000);
	EXPECT_EVENT(ENGINE_EVENT_EXPIRED);
}

static void does_not_open_what_it_cannot(void **state)
{
	struct engine_action action = {.reason = ENGINE_REASON_TIMEOUT};
	struct tuple tuple = script.tuple;

	(void)state;
	script.config.max_flows = 1;
	script_restart();
	open_active();
	assert_int_equal(engine_connect(script.engine, &tuple, NULL, script.now_ns, &action),
			 -EEXIST);
	tuple.remote.port = 2;
	assert_int_equal(engine_connect(script.engine, &tuple, NULL, script.now_ns, &action),
			 -ENOSPC);
	tuple.remote.port = 0;
	assert_int_equal(engine_connect(script.engine, &tuple, NULL, script.now_ns, &action),
			 -EINVAL);
	tuple.remote = tuple.local;
	assert_int_equal(engine_connect(script.engine, &tuple, NULL, script.now_ns, &action),
			 -EINVAL);
	assert_int_equal(action.reason, ENGINE_REASON_TIMEOUT);
	EXPECT_FLOWS(1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sends_a_syn_with_every_option),
		TEST(completes_with_the_syn_ack),
		TEST(agrees_to_nothing_that_the_syn_ack_leaves_out),
		TEST(holds_what_follows_the_syn_ack),
		TEST(resets_a_syn_ack_that_acknowledges_something_else),
		TEST(resets_an_echo_of_what_was_never_sent),
		TEST(is_refused_by_a_reset_of_its_syn),
		TEST(ignores_resets_of_something_else),
		TEST(ignores_an_ack_without_syn),
		TEST(answers_a_crossing_syn_with_the_same_iss),
		TEST(completes_a_simultaneous_open_with_the_crossing_syn_ack),
		TEST(completes_a_simultaneous_open_with_an_ack),
		TEST(acknowledges_a_crossing_syn_ack_that_acknowledges_something_else),
		TEST(resets_a_wrong_acknowledgement_number_in_a_simultaneous_open),
		TEST(checks_the_timestamps_of_a_crossing_syn_ack),
		TEST(challenges_a_new_syn_during_a_simultaneous_open),
		TEST(is_reset_during_a_simultaneous_open),
		TEST(two_engines_meet),
		TEST(sends_its_syn_again_and_gives_up),
		TEST(accepts_the_echo_of_any_syn_that_was_sent),
		TEST(starts_the_retransmissions_of_its_syn_ack_anew),
		TEST(does_not_open_what_it_cannot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
