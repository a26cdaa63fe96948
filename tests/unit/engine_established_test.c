/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The segment that completes a handshake, and what follows until the flow is released. */
#include "engine_script.h"

static void open_half(void)
{
	SYN_IN(1000, MSS(1460));
	EXPECT(TCP_SYN | TCP_ACK, .ack = 1001);
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
	script_flow()->making = (struct making *)&script;
	engine_release(script.engine, script_flow());
	EXPECT_FLOWS(0);
	assert_null(engine_find(script.engine, &script.tuple));
	SYN_IN(1000);
	EXPECT_EVENT(ENGINE_EVENT_SYN);
	assert_null(script_flow()->making);
}

static void keeps_the_flow_readable_after_its_reset(void **state)
{
	(void)state;
	open_half();
	script_flow()->making = (struct making *)&script;
	RST_IN(1001);
	assert_ptr_equal(script.action.flow->making, &script);
	assert_true(tuple_is_equal(&script.action.flow->tuple, &script.tuple));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(completes_with_the_final_ack),
		TEST(scales_the_window_of_the_final_ack),
		TEST(completes_with_data_and_with_a_fin),
		TEST(holds_every_segment_of_an_established_flow),
		TEST(forgets_a_released_flow),
		TEST(keeps_the_flow_readable_after_its_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
