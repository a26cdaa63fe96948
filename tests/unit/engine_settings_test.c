/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What SYN-ACKs say follows the host's settings, at the moment and by the remote; see engine_script.h for the notation. */
#include "unit/cmocka_setup.h"

#include "unit/engine_script.h"

#include "routes.h"

static void change(struct engine_settings settings)
{
	engine_set(script.engine, &settings);
}

static struct engine_settings with_offers(uint8_t offers)
{
	struct engine_settings settings = script.config.settings;

	settings.offers = offers;
	return settings;
}

static void agrees_to_no_option_that_is_turned_off(void **state)
{
	(void)state;
	change(with_offers(NOL_OFFER_WSCALE | NOL_OFFER_SACK));
	SYN_IN(1000, MSS(1460), SACK_OK, TS(7, 0), WSCALE(7));
	EXPECT_OPTIONS(MSS(1460), SACK_OK, WSCALE(SCRIPT_WSCALE));
	assert_false(script_flow()->has_timestamps);
	FROM_PORT(2);
	change(with_offers(NOL_OFFER_WSCALE | NOL_OFFER_TIMESTAMPS));
	SYN_IN(1000, MSS(1460), SACK_OK, TS(7, 0), WSCALE(7));
	EXPECT_OPTIONS(MSS(1460), TS(NOW_MS, 7), WSCALE(SCRIPT_WSCALE));
	assert_false(script_flow()->has_sack);
	FROM_PORT(3);
	change(with_offers(NOL_OFFER_SACK | NOL_OFFER_TIMESTAMPS));
	SYN_IN(1000, MSS(1460), SACK_OK, TS(7, 0), WSCALE(7));
	EXPECT_OPTIONS(MSS(1460), SACK_OK, TS(NOW_MS, 7));
	assert_false(script_flow()->has_wscale);
	assert_int_equal(script_flow()->remote_wscale, 0);
}

/* Neither what it echoes nor how old it is. */
static void looks_at_no_timestamp_that_was_not_agreed(void **state)
{
	(void)state;
	change(with_offers(0));
	SYN_IN(1000, TS(700, 0));
	EXPECT_OPTIONS(MSS(1460));
	ACK_IN(1001, 1, TS(3, 12345));
	EXPECT_EVENT(ENGINE_EVENT_ESTABLISHED);
}

static void offers_no_option_that_is_turned_off(void **state)
{
	(void)state;
	change(with_offers(NOL_OFFER_SACK));
	CONNECT();
	EXPECT_OPTIONS(MSS(1460), SACK_OK);
}

static void advertises_another_window_with_timestamps(void **state)
{
	struct engine_settings settings = script.config.settings;

	(void)state;
	settings.v4.window[0] = 64240;
	settings.v4.window[1] = 65160;
	change(settings);
	SYN_IN(1000, MSS(1400));
	EXPECT(TCP_SYN | TCP_ACK, .ack = 1001, .window = 64240);
	FROM_PORT(2);
	SYN_IN(1000, TS(7, 0));
	EXPECT(TCP_SYN | TCP_ACK, .ack = 1001, .window = 65160);
	assert_int_equal(script_flow()->local_window, 65160);
	FROM_PORT(3);
	settings.offers = 0;
	change(settings);
	SYN_IN(1000, TS(7, 0));
	EXPECT(TCP_SYN | TCP_ACK, .ack = 1001, .window = 64240);
}

static void says_the_same_when_it_says_it_again(void **state)
{
	struct engine_settings settings = with_offers(0);

	(void)state;
	SYN_IN(1000, MSS(1460), SACK_OK, WSCALE(7));
	settings.v4.mss = 900;
	settings.v4.wscale = 1;
	change(settings);
	AFTER_MS(1000);
	EXPECT_OPTIONS(MSS(1460), SACK_OK, WSCALE(SCRIPT_WSCALE));
	FROM_PORT(2);
	SYN_IN(1000, MSS(1460), SACK_OK, WSCALE(7));
	EXPECT_OPTIONS(MSS(900));
}

/* As a listener's half-open sockets do. */
static void gives_up_after_as_many_retries_as_are_asked_for_then(void **state)
{
	struct engine_settings settings = script.config.settings;

	(void)state;
	SYN_IN(1000);
	AFTER_MS(1000);
	EXPECT(TCP_SYN | TCP_ACK, .ack = 1001);
	settings.syn_ack_retries = 1;
	change(settings);
	AFTER_MS(2000);
	EXPECT_EVENT(ENGINE_EVENT_EXPIRED);
}

/* 10.0.0.0/24 is told something else. */
static struct routes *open_routes(void)
{
	const struct advertise_host host = {
		.mtu = 1500, .sysctls = {.rmem_default = 131072, .scaling_ratio = 128}};
	struct host_route all[] = {{.metrics = {.advmss = 800, .window = 20000}}};
	struct routes *routes = NULL;

	assert_true(prefix_parse("10.0.0.0/24", &all[0].prefix));
	assert_int_equal(routes_new(&routes, &host, all, 1), 0);
	assert_non_null(routes);
	return routes;
}

static void asks_the_route_to_the_remote(void **state)
{
	struct engine_settings settings = script.config.settings;
	struct routes *routes = open_routes();

	(void)state;
	settings.routes = routes;
	change(settings);
	SYN_IN(1000, MSS(1460), WSCALE(7));
	EXPECT(TCP_SYN | TCP_ACK, .ack = 1001, .window = 20000);
	EXPECT_OPTIONS(MSS(800), WSCALE(0));
	assert_int_equal(script_flow()->remote_mss, 1460);
	script_tuple("10.0.0.2:80", "10.0.1.1:1");
	SYN_IN(1000, MSS(1460), WSCALE(7));
	EXPECT_OPTIONS(MSS(1460), WSCALE(SCRIPT_WSCALE));
	settings.routes = NULL;
	change(settings);
	routes_free(routes);
}

/* Where nobody remembers the SYN-ACK. */
static void adopts_with_the_window_and_shift_count_of_the_route(void **state)
{
	const struct nol_terms terms = {.mss = 1460, .options = NOL_TERM_WSCALE, .wscale = 7};
	struct segment ack = {.tuple = script.tuple, .flags = TCP_ACK, .seq = 1001, .ack = 9001};
	struct engine_settings settings = script.config.settings;
	struct routes *routes = open_routes();

	(void)state;
	settings.routes = routes;
	change(settings);
	engine_adopt(script.engine, &ack, &terms, script.now_ns, &script.action);
	EXPECT_EVENT(ENGINE_EVENT_ESTABLISHED);
	assert_int_equal(script_flow()->local_wscale, 0);
	assert_int_equal(script_flow()->local_window, 20000);
	assert_int_equal(script_flow()->remote_mss, 1460);
	routes_free(routes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(agrees_to_no_option_that_is_turned_off),
		TEST(looks_at_no_timestamp_that_was_not_agreed),
		TEST(offers_no_option_that_is_turned_off),
		TEST(advertises_another_window_with_timestamps),
		TEST(says_the_same_when_it_says_it_again),
		TEST(gives_up_after_as_many_retries_as_are_asked_for_then),
		TEST(asks_the_route_to_the_remote),
		TEST(adopts_with_the_window_and_shift_count_of_the_route),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
