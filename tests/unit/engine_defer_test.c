/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* TCP_DEFER_ACCEPT, and a limit of the MSS: what a listener was told changes what its half-open flows do. */
#include "engine_script.h"

static void defer(uint8_t timeouts)
{
	script.config.defer_timeouts = timeouts;
	script_restart();
}

static void open_half(void)
{
	SYN_IN(1000, MSS(1460));
	EXPECT(TCP_SYN | TCP_ACK, .ack = 1001);
}

static void ack_is_deferred(void)
{
	ACK_IN(1001, 1);
	EXPECT_EVENT(ENGINE_NOTHING);
	EXPECT_REASON(ENGINE_REASON_DEFERRED);
	EXPECT_SILENCE();
	EXPECT_STATE(ENGINE_SYN_RECEIVED);
}

static void a_bare_ack_is_not_enough(void **state)
{
	(void)state;
	defer(3);
	open_half();
	ack_is_deferred();
	ack_is_deferred();
	IN(TCP_ACK | TCP_PSH, 1001, 1, DATA("hello"));
	EXPECT_EVENT(ENGINE_EVENT_ESTABLISHED);
}

static void a_fin_is_enough(void **state)
{
	(void)state;
	defer(3);
	open_half();
	ack_is_deferred();
	IN(TCP_ACK | TCP_FIN, 1001, 1);
	EXPECT_EVENT(ENGINE_EVENT_ESTABLISHED);
}

static void a_wrong_ack_gets_its_rst_all_the_same(void **state)
{
	(void)state;
	defer(3);
	open_half();
	ACK_IN(1001, 7);
	EXPECT(TCP_RST, .seq = 7);
	EXPECT_REASON(ENGINE_REASON_BAD_ACK);
}

static void who_has_acknowledged_gets_one_last_syn_ack(void **state)
{
	(void)state;
	defer(3);
	open_half();
	ack_is_deferred();
	AFTER_MS(1000);
	EXPECT_SILENCE();
	AFTER_MS(2000);
	EXPECT_SILENCE();
	AFTER_MS(4000);
	EXPECT(TCP_SYN | TCP_ACK, .ack = 1001);
	ACK_IN(1001, 1);
	EXPECT_EVENT(ENGINE_EVENT_ESTABLISHED);
}

static void who_has_not_gets_them_all(void **state)
{
	(void)state;
	defer(3);
	open_half();
	AFTER_MS(1000);
	EXPECT(TCP_SYN | TCP_ACK, .ack = 1001);
	ack_is_deferred();
	AFTER_MS(2000);
	EXPECT_SILENCE();
	AFTER_MS(4000);
	EXPECT(TCP_SYN | TCP_ACK, .ack = 1001);
}

static void waits_for_data_longer_than_for_an_ack(void **state)
{
	(void)state;
	script.config.settings.syn_ack_retries = 1;
	defer(3);
	open_half();
	ack_is_deferred();
	AFTER_MS(1000);
	AFTER_MS(2000);
	EXPECT_EVENT(ENGINE_NOTHING);
	AFTER_MS(4000);
	EXPECT(TCP_SYN | TCP_ACK, .ack = 1001);
	AFTER_MS(8000);
	EXPECT_EVENT(ENGINE_EVENT_EXPIRED);
}

static void gives_up_who_has_not_acknowledged_as_ever(void **state)
{
	(void)state;
	script.config.settings.syn_ack_retries = 1;
	defer(9);
	open_half();
	AFTER_MS(1000);
	EXPECT(TCP_SYN | TCP_ACK, .ack = 1001);
	AFTER_MS(2000);
	EXPECT_EVENT(ENGINE_EVENT_EXPIRED);
}

static void an_active_open_waits_for_nothing(void **state)
{
	(void)state;
	defer(3);
	CONNECT();
	IN(TCP_SYN | TCP_ACK, 5000, 1);
	EXPECT_EVENT(ENGINE_EVENT_ESTABLISHED);
}

static void bring_cookie(uint8_t flags, const char *payload)
{
	const struct nol_terms terms = {.mss = 1400, .options = NOL_TERM_TIMESTAMPS};
	const struct segment segment = {
		.tuple = script.tuple,
		.seq = 1001,
		.ack = 9001,
		.flags = flags,
		.window = 100,
		.options = {.has_timestamps = true, .tsval = 77, .tsecr = 1007},
		.payload = (const uint8_t *)payload,
		.payload_len = (uint32_t)strlen(payload),
	};

	engine_adopt(script.engine, &segment, &terms, script.now_ns, &script.action);
	script_take_action();
}

static void a_cookie_in_a_bare_ack_waits_too(void **state)
{
	(void)state;
	defer(3);
	bring_cookie(TCP_ACK, "");
	EXPECT_EVENT(ENGINE_NOTHING);
	EXPECT_REASON(ENGINE_REASON_DEFERRED);
	EXPECT_STATE(ENGINE_SYN_RECEIVED);
	bring_cookie(TCP_ACK | TCP_PSH, "hello");
	EXPECT_EVENT(ENGINE_EVENT_ESTABLISHED);
	assert_true(script_flow()->is_adopted);
	assert_int_equal(script_flow()->iss, 9000);
}

/* As the packet behind it comes: the flow is known by then, and its cookie is not asked for again. */
static void data_behind_a_deferred_cookie_establishes(void **state)
{
	(void)state;
	defer(3);
	bring_cookie(TCP_ACK, "");
	IN(TCP_ACK | TCP_PSH, 1001, 1, DATA("hello"),
	   .options = {.has_timestamps = true, .tsval = 78, .tsecr = 1007 - script.ts_offset});
	EXPECT_EVENT(ENGINE_EVENT_ESTABLISHED);
}

static void a_cookie_with_data_waits_for_nothing(void **state)
{
	(void)state;
	defer(3);
	bring_cookie(TCP_ACK | TCP_PSH, "hello");
	EXPECT_EVENT(ENGINE_EVENT_ESTABLISHED);
}

static void a_deferred_cookie_gets_its_syn_ack_again(void **state)
{
	(void)state;
	defer(2);
	bring_cookie(TCP_ACK, "");
	AFTER_MS(1000);
	EXPECT_SILENCE();
	AFTER_MS(2000);
	EXPECT(TCP_SYN | TCP_ACK, .ack = 1001);
	EXPECT_OPTIONS(MSS(1460), TS(NOW_MS, 77));
	bring_cookie(TCP_ACK, "");
	EXPECT_EVENT(ENGINE_EVENT_ESTABLISHED);
}

static void a_limited_mss_is_so_in_both_directions(void **state)
{
	(void)state;
	script.config.settings.mss_limit = 700;
	script.config.settings.v4.mss = 700;
	script_restart();
	SYN_IN(1000, MSS(1460));
	EXPECT_OPTIONS(MSS(700));
	assert_int_equal(script_flow()->remote_mss, 700);
	script_tuple("10.0.0.2:80", "10.0.0.1:2");
	SYN_IN(1000, MSS(600));
	EXPECT_OPTIONS(MSS(700));
	assert_int_equal(script_flow()->remote_mss, 600);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_bare_ack_is_not_enough),
		TEST(a_fin_is_enough),
		TEST(a_wrong_ack_gets_its_rst_all_the_same),
		TEST(who_has_acknowledged_gets_one_last_syn_ack),
		TEST(who_has_not_gets_them_all),
		TEST(waits_for_data_longer_than_for_an_ack),
		TEST(gives_up_who_has_not_acknowledged_as_ever),
		TEST(an_active_open_waits_for_nothing),
		TEST(a_cookie_in_a_bare_ack_waits_too),
		TEST(data_behind_a_deferred_cookie_establishes),
		TEST(a_cookie_with_data_waits_for_nothing),
		TEST(a_deferred_cookie_gets_its_syn_ack_again),
		TEST(a_limited_mss_is_so_in_both_directions),
	};

	return cmocka_run_group_tests_name("engine defer", tests, NULL, NULL);
}
