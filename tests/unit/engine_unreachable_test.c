/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* ICMP errors about what the engine has sent. */
#include "engine_script.h"

/* seq: relative to the ISS. */
static void unreachable(uint32_t seq)
{
	const struct icmp_error error = {.tuple = script.tuple, .seq = script.iss + seq};

	engine_unreachable(script.engine, &error, script.now_ns, &script.action);
}

static void an_error_about_the_syn_ack_ends_a_half_open_flow(void **state)
{
	(void)state;
	SYN_IN(1000, MSS(1460));
	unreachable(0);
	EXPECT_EVENT(ENGINE_EVENT_RESET);
	EXPECT_REASON(ENGINE_REASON_UNREACHABLE);
	EXPECT_SILENCE();
	EXPECT_FLOWS(0);
	assert_true(tuple_is_equal(&script.action.flow->tuple, &script.tuple));
	ACK_IN(1001, 1);
	EXPECT(TCP_RST, .seq = 1);
	AFTER_MS(100000);
	EXPECT_SILENCE();
}

static void an_error_about_something_else_is_ignored(void **state)
{
	(void)state;
	SYN_IN(1000, MSS(1460));
	unreachable(1);
	EXPECT_EVENT(ENGINE_NOTHING);
	EXPECT_REASON(ENGINE_REASON_ICMP_SEQ);
	unreachable(-1u);
	EXPECT_EVENT(ENGINE_NOTHING);
	ACK_IN(1001, 1);
	EXPECT_EVENT(ENGINE_EVENT_ESTABLISHED);
}

static void an_error_about_another_connection_is_ignored(void **state)
{
	(void)state;
	SYN_IN(1000, MSS(1460));
	FROM_PORT(7);
	unreachable(0);
	EXPECT_EVENT(ENGINE_NOTHING);
	EXPECT_REASON(ENGINE_REASON_NONE);
	assert_null(script.action.flow);
	EXPECT_FLOWS(1);
}

static void an_error_does_not_end_an_established_flow(void **state)
{
	(void)state;
	SYN_IN(1000, MSS(1460));
	ACK_IN(1001, 1);
	unreachable(0);
	EXPECT_EVENT(ENGINE_NOTHING);
	EXPECT_FLOWS(1);
}

static void an_error_about_the_syn_ends_an_active_open(void **state)
{
	(void)state;
	CONNECT();
	unreachable(1);
	EXPECT_EVENT(ENGINE_NOTHING);
	EXPECT_REASON(ENGINE_REASON_ICMP_SEQ);
	EXPECT_FLOWS(1);
	unreachable(0);
	EXPECT_EVENT(ENGINE_EVENT_RESET);
	EXPECT_REASON(ENGINE_REASON_UNREACHABLE);
	EXPECT_FLOWS(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_error_about_the_syn_ack_ends_a_half_open_flow),
		TEST(an_error_about_something_else_is_ignored),
		TEST(an_error_about_another_connection_is_ignored),
		TEST(an_error_does_not_end_an_established_flow),
		TEST(an_error_about_the_syn_ends_an_active_open),
	};

	return cmocka_run_group_tests_name("engine unreachable", tests, NULL, NULL);
}
