/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Active opens whose SYN says something else than the settings. */
#include "engine_script.h"

static struct engine_syn syn;

static void open_shaped(const char *layout)
{
	assert_int_equal(tcpopt_layout_parse(layout, &syn.layout), TCPOPT_LAYOUT_OK);
	syn.given |= ENGINE_SYN_LAYOUT;
	script.syn = &syn;
	CONNECT();
}

static int setup(void **state)
{
	syn = (struct engine_syn){0};
	return script_setup(state);
}

static void says_what_was_asked_for(void **state)
{
	(void)state;
	syn = (struct engine_syn){
		.given = ENGINE_SYN_MSS | ENGINE_SYN_WINDOW | ENGINE_SYN_WSCALE,
		.mss = 1300,
		.window = 1024,
		.wscale = 3,
		.ttl = 37,
	};
	open_shaped("ws,mss");
	EXPECT(TCP_SYN, .seq = 0, .ack = 0, .window = 1024);
	EXPECT_OPTIONS(MSS(1300), WSCALE(3));
	assert_int_equal(script.action.reply.ttl, 37);
	assert_ptr_equal(script.action.reply.options.layout, &syn.layout);
	AFTER_MS(1000);
	EXPECT(TCP_SYN, .seq = 0, .window = 1024);
	EXPECT_OPTIONS(MSS(1300), WSCALE(3));
	assert_ptr_equal(script.action.reply.options.layout, &syn.layout);
}

static void agrees_to_nothing_that_it_has_not_offered(void **state)
{
	(void)state;
	open_shaped("mss");
	IN(TCP_SYN | TCP_ACK, 1000, 1, MSS(1400), WSCALE(9), SACK_OK, TS(700, 0));
	EXPECT_EVENT(ENGINE_EVENT_ESTABLISHED);
	EXPECT(TCP_ACK, .seq = 1, .ack = 1001, .window = 65535);
	EXPECT_OPTIONS();
	assert_false(script_flow()->has_wscale);
	assert_false(script_flow()->has_sack);
	assert_false(script_flow()->has_timestamps);
}

static void offers_a_window_scale_that_the_settings_have_not(void **state)
{
	(void)state;
	script.config.settings.offers = 0;
	script_restart();
	syn = (struct engine_syn){.given = ENGINE_SYN_WSCALE, .wscale = 0};
	script.syn = &syn;
	CONNECT();
	EXPECT_OPTIONS(MSS(1460), WSCALE(0));
}

static void its_ack_opens_a_window_that_was_too_small(void **state)
{
	(void)state;
	syn = (struct engine_syn){.given = ENGINE_SYN_WINDOW, .window = 0};
	open_shaped("mss,nop,ws");
	IN(TCP_SYN | TCP_ACK, 1000, 1, MSS(1400), WSCALE(9));
	EXPECT(TCP_ACK, .seq = 1, .ack = 1001, .window = 65535 >> SCRIPT_WSCALE);
	EXPECT_EVENT(ENGINE_EVENT_ESTABLISHED);
	assert_int_equal(script_flow()->local_window, 65535);
}

static void retries_as_often_as_it_was_told(void **state)
{
	(void)state;
	syn = (struct engine_syn){.given = ENGINE_SYN_RETRIES, .retries = 0};
	script.syn = &syn;
	CONNECT();
	AFTER_MS(999);
	EXPECT_FLOWS(1);
	AFTER_MS(1);
	EXPECT_SILENCE();
	EXPECT_EVENT(ENGINE_EVENT_EXPIRED);
	EXPECT_FLOWS(0);
}

static void its_syn_ack_is_an_ordinary_one(void **state)
{
	(void)state;
	syn.ttl = 9;
	open_shaped("nop");
	SYN_IN(1000, MSS(1400), WSCALE(3));
	EXPECT(TCP_SYN | TCP_ACK, .seq = 0, .ack = 1001);
	EXPECT_OPTIONS(MSS(1460));
	assert_null(script.action.reply.options.layout);
	assert_int_equal(script.action.reply.ttl, 9);
}

#define SHAPED(name) cmocka_unit_test_setup_teardown(name, setup, script_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SHAPED(says_what_was_asked_for),
		SHAPED(agrees_to_nothing_that_it_has_not_offered),
		SHAPED(offers_a_window_scale_that_the_settings_have_not),
		SHAPED(its_ack_opens_a_window_that_was_too_small),
		SHAPED(retries_as_often_as_it_was_told),
		SHAPED(its_syn_ack_is_an_ordinary_one),
	};

	return cmocka_run_group_tests_name("engine syn", tests, NULL, NULL);
}
