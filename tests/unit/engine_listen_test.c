/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the engine does with segments of no flow: the listener's side of the handshake. */
#include "engine_script.h"

static void answers_a_bare_syn_with_the_mss_alone(void **state)
{
	(void)state;
	SYN_IN(1000);
	EXPECT(TCP_SYN | TCP_ACK, .ack = 1001, .window = 65535);
	EXPECT_OPTIONS(MSS(1460));
	EXPECT_EVENT(ENGINE_EVENT_SYN);
	EXPECT_REASON(ENGINE_REASON_NONE);
	EXPECT_STATE(ENGINE_SYN_RECEIVED);
	EXPECT_FLOWS(1);
}

static void agrees_to_every_option_that_was_offered(void **state)
{
	(void)state;
	SYN_IN(1000, MSS(1400), WSCALE(9), SACK_OK, TS(4711, 0));
	EXPECT(TCP_SYN | TCP_ACK, .ack = 1001, .window = 65535);
	EXPECT_OPTIONS(MSS(1460), WSCALE(SCRIPT_WSCALE), SACK_OK, TS(NOW_MS, 4711));
	assert_int_equal(script_flow()->remote_mss, 1400);
	assert_int_equal(script_flow()->remote_wscale, 9);
	assert_int_equal(script_flow()->local_wscale, SCRIPT_WSCALE);
	assert_true(script_flow()->has_sack);
	assert_int_equal(script_flow()->ts_recent, 4711);
}

static void agrees_to_one_option_without_the_others(void **state)
{
	(void)state;
	SYN_IN(1000, SACK_OK);
	EXPECT_OPTIONS(MSS(1460), SACK_OK);
	assert_false(script_flow()->has_wscale);
	assert_int_equal(script_flow()->local_wscale, 0);
	script_tuple("10.0.0.2:80", "10.0.0.1:2");
	SYN_IN(1000, WSCALE(0));
	EXPECT_OPTIONS(MSS(1460), WSCALE(SCRIPT_WSCALE));
	script_tuple("10.0.0.2:80", "10.0.0.1:3");
	SYN_IN(1000, TS(0, 0));
	EXPECT_OPTIONS(MSS(1460), TS(NOW_MS, 0));
}

static void takes_window_scale_15_as_14(void **state)
{
	(void)state;
	SYN_IN(1000, WSCALE(15));
	assert_int_equal(script_flow()->remote_wscale, 14);
}

static uint16_t remote_mss_of(const char *local, const char *remote, struct tcp_options options)
{
	script_tuple(local, remote);
	script_in((struct segment){.flags = TCP_SYN, .options = options}, NULL);
	EXPECT(TCP_SYN | TCP_ACK, .ack = 1);
	return script_flow()->remote_mss;
}

static struct tcp_options mss_option(uint16_t mss)
{
	return (struct tcp_options){.has_mss = true, .mss = mss};
}

static void clamps_the_mss_of_the_remote(void **state)
{
	struct tcp_options none = {.has_mss = false};

	(void)state;
	assert_int_equal(remote_mss_of("10.0.0.2:80", "10.0.0.1:1", none), 536);
	assert_int_equal(remote_mss_of("10.0.0.2:80", "10.0.0.1:2", mss_option(0)), 536);
	assert_int_equal(remote_mss_of("[fd00::2]:80", "[fd00::1]:1", none), 1220);
	assert_int_equal(remote_mss_of("[fd00::2]:80", "[fd00::1]:2", mss_option(0)), 1220);
	assert_int_equal(remote_mss_of("10.0.0.2:80", "10.0.0.1:3", mss_option(1)), 48);
	assert_int_equal(remote_mss_of("10.0.0.2:80", "10.0.0.1:4", mss_option(65535)), 1460);
	assert_int_equal(remote_mss_of("[fd00::2]:80", "[fd00::1]:3", mss_option(65535)), 1440);
	assert_int_equal(remote_mss_of("10.0.0.2:80", "10.0.0.1:5", mss_option(1000)), 1000);
}

static void advertises_the_mss_of_the_family_and_of_the_moment(void **state)
{
	struct engine_settings settings = script.config.settings;

	(void)state;
	script_tuple("[fd00::2]:80", "[fd00::1]:1");
	SYN_IN(1000);
	EXPECT_OPTIONS(MSS(1440));
	settings.v4.mss = 1360;
	settings.v6.mss = 1340;
	engine_set(script.engine, &settings);
	AFTER_MS(1000);
	EXPECT_OPTIONS(MSS(1440));
	script_tuple("[fd00::2]:80", "[fd00::1]:2");
	SYN_IN(1000);
	EXPECT_OPTIONS(MSS(1340));
	script_tuple("10.0.0.2:80", "10.0.0.1:1");
	SYN_IN(1000);
	EXPECT_OPTIONS(MSS(1360));
}

static void acknowledges_the_syn_alone_when_it_carries_data(void **state)
{
	(void)state;
	SYN_IN(1000, DATA("GET / HTTP/1.0\r\n\r\n"));
	EXPECT(TCP_SYN | TCP_ACK, .ack = 1001);
	EXPECT_EVENT(ENGINE_EVENT_SYN);
}

static void never_agrees_to_ecn(void **state)
{
	(void)state;
	IN(TCP_SYN | TCP_ECE | TCP_CWR, 1000, 0);
	EXPECT(TCP_SYN | TCP_ACK, .ack = 1001);
}

static void ignores_psh_and_urg_beside_a_syn(void **state)
{
	(void)state;
	IN(TCP_SYN | TCP_PSH | TCP_URG, 1000, 0);
	EXPECT(TCP_SYN | TCP_ACK, .ack = 1001);
}

static void resets_a_lone_ack_with_its_own_acknowledgement_number(void **state)
{
	(void)state;
	ACK_IN(1000, 5000, TS(1, 2), DATA("x"));
	EXPECT(TCP_RST, .seq = 5000, .ack = 0);
	EXPECT_OPTIONS();
	EXPECT_REASON(ENGINE_REASON_NO_FLOW);
	EXPECT_FLOWS(0);
	assert_int_equal(script.action.reply.window, 0);
}

static void resets_a_lone_syn_ack_and_a_lone_fin_ack(void **state)
{
	(void)state;
	IN(TCP_SYN | TCP_ACK, 1000, 6000);
	EXPECT(TCP_RST, .seq = 6000);
	IN(TCP_FIN | TCP_ACK, 1000, 7000);
	EXPECT(TCP_RST, .seq = 7000);
	EXPECT_FLOWS(0);
}

static void never_answers_a_reset(void **state)
{
	(void)state;
	RST_IN(1000);
	EXPECT_SILENCE();
	IN(TCP_RST | TCP_ACK, 1000, 5000);
	EXPECT_SILENCE();
	IN(TCP_RST | TCP_SYN, 1000, 0);
	EXPECT_SILENCE();
	EXPECT_FLOWS(0);
}

static void drops_syn_fin_and_xmas_and_no_flags(void **state)
{
	const uint8_t odd[] = {TCP_SYN | TCP_FIN, TCP_FIN | TCP_PSH | TCP_URG, 0, TCP_FIN};

	(void)state;
	for (size_t i = 0; i < sizeof(odd); i++) {
		IN(odd[i], 1000, 0);
		EXPECT_SILENCE();
		EXPECT_REASON(ENGINE_REASON_FLAGS);
	}
	EXPECT_FLOWS(0);
}

static void answers_each_of_the_256_flag_bytes_as_a_listener_does(void **state)
{
	unsigned int syn_acks = 0, resets = 0, silent = 0;

	(void)state;
	for (unsigned int flags = 0; flags < 256; flags++) {
		script_restart();
		IN((uint8_t)flags, 1000, 0);
		if (!script.action.has_reply)
			silent++;
		else if (script.action.reply.flags == (TCP_SYN | TCP_ACK))
			syn_acks++;
		else if (script.action.reply.flags == TCP_RST)
			resets++;
	}
	assert_int_equal(syn_acks, 16);
	assert_int_equal(resets, 64);
	assert_int_equal(silent, 176);
}

static void drops_a_bad_checksum_and_accepts_a_partial_one(void **state)
{
	(void)state;
	SYN_IN(1000, CHECKSUM(CHECKSUM_BAD));
	EXPECT_SILENCE();
	EXPECT_REASON(ENGINE_REASON_BAD_CHECKSUM);
	EXPECT_FLOWS(0);
	SYN_IN(1000, CHECKSUM(CHECKSUM_PARTIAL));
	EXPECT(TCP_SYN | TCP_ACK, .ack = 1001);
}

static void drops_a_syn_from_port_0(void **state)
{
	(void)state;
	FROM_PORT(0);
	SYN_IN(1000);
	EXPECT_SILENCE();
	EXPECT_REASON(ENGINE_REASON_SOURCE_PORT_0);
	EXPECT_FLOWS(0);
}

static void expect_dropped_between(const char *local, const char *remote, enum engine_reason reason)
{
	script_tuple(local, remote);
	SYN_IN(1000);
	EXPECT_SILENCE();
	EXPECT_REASON(reason);
	ACK_IN(1000, 1);
	EXPECT_SILENCE();
	EXPECT_REASON(reason);
	EXPECT_FLOWS(0);
}

static void drops_sources_that_no_host_has(void **state)
{
	const char *const v4[] = {"224.0.0.1:9", "0.1.2.3:9", "127.0.0.1:9", "255.255.255.255:9"};
	const char *const v6[] = {"[ff02::1]:9", "[::]:9", "[::1]:9"};

	(void)state;
	for (size_t i = 0; i < 4; i++)
		expect_dropped_between("10.0.0.2:80", v4[i], ENGINE_REASON_SOURCE_ADDRESS);
	for (size_t i = 0; i < 3; i++)
		expect_dropped_between("[fd00::2]:80", v6[i], ENGINE_REASON_SOURCE_ADDRESS);
}

static void drops_a_segment_that_claims_to_come_from_its_own_destination(void **state)
{
	(void)state;
	expect_dropped_between("10.0.0.2:80", "10.0.0.2:80", ENGINE_REASON_SOURCE_ADDRESS);
	expect_dropped_between("[fd00::2]:80", "[fd00::2]:80", ENGINE_REASON_SOURCE_ADDRESS);
	expect_dropped_between("127.0.0.1:80", "127.0.0.1:80", ENGINE_REASON_SOURCE_ADDRESS);
}

static void drops_multicast_and_broadcast_destinations(void **state)
{
	(void)state;
	expect_dropped_between("224.0.0.1:80", "10.0.0.1:9", ENGINE_REASON_LOCAL_ADDRESS);
	expect_dropped_between("255.255.255.255:80", "10.0.0.1:9", ENGINE_REASON_LOCAL_ADDRESS);
	expect_dropped_between("[ff02::1]:80", "[fd00::1]:9", ENGINE_REASON_LOCAL_ADDRESS);
}

static void answers_on_loopback(void **state)
{
	(void)state;
	script_tuple("127.0.0.1:80", "127.0.0.2:9");
	SYN_IN(1000);
	EXPECT(TCP_SYN | TCP_ACK, .ack = 1001);
	script_tuple("[::1]:80", "[::1]:9");
	SYN_IN(1000);
	EXPECT(TCP_SYN | TCP_ACK, .ack = 1001);
}

static void refuses_a_syn_when_the_table_is_full(void **state)
{
	(void)state;
	for (uint16_t port = 1; port <= script.config.max_flows; port++) {
		FROM_PORT(port);
		SYN_IN(1000);
		EXPECT_EVENT(ENGINE_EVENT_SYN);
	}
	FROM_PORT(999);
	SYN_IN(1000);
	EXPECT_EVENT(ENGINE_EVENT_REFUSED);
	EXPECT_REASON(ENGINE_REASON_TABLE_FULL);
	EXPECT_SILENCE();
	assert_null(script.action.flow);
	FROM_PORT(1);
	engine_release(script.engine, script_flow());
	FROM_PORT(999);
	SYN_IN(1000);
	EXPECT_EVENT(ENGINE_EVENT_SYN);
	EXPECT_FLOWS(script.config.max_flows);
}

static void goes_far_above_the_old_connection_in_time_wait(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 8; i++) {
		uint32_t snd_nxt = i << 29;

		script_restart();
		TIME_WAIT_SYN_IN(snd_nxt, 1000);
		EXPECT(TCP_SYN | TCP_ACK, .ack = 1001);
		EXPECT_EVENT(ENGINE_EVENT_SYN);
		assert_in_range(script.iss - snd_nxt, 65537, INT32_MAX);
	}
}

static void starts_with_a_valid_configuration_only(void **state)
{
	struct engine *engine = NULL;

	(void)state;
	script.config.max_flows = 0;
	assert_int_equal(engine_new(&engine, &script.config), -EINVAL);
	script.config.max_flows = UINT32_MAX;
	assert_int_equal(engine_new(&engine, &script.config), -EINVAL);
	assert_null(engine);
	engine_free(NULL);
}

static void names_every_reason(void **state)
{
	(void)state;
	for (int reason = 0; reason < ENGINE_REASON_COUNT; reason++)
		assert_non_null(engine_reason_text(reason));
	assert_string_equal(engine_reason_text(ENGINE_REASON_COUNT), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(answers_a_bare_syn_with_the_mss_alone),
		TEST(agrees_to_every_option_that_was_offered),
		TEST(agrees_to_one_option_without_the_others),
		TEST(takes_window_scale_15_as_14),
		TEST(clamps_the_mss_of_the_remote),
		TEST(advertises_the_mss_of_the_family_and_of_the_moment),
		TEST(acknowledges_the_syn_alone_when_it_carries_data),
		TEST(never_agrees_to_ecn),
		TEST(ignores_psh_and_urg_beside_a_syn),
		TEST(resets_a_lone_ack_with_its_own_acknowledgement_number),
		TEST(resets_a_lone_syn_ack_and_a_lone_fin_ack),
		TEST(never_answers_a_reset),
		TEST(drops_syn_fin_and_xmas_and_no_flags),
		TEST(answers_each_of_the_256_flag_bytes_as_a_listener_does),
		TEST(drops_a_bad_checksum_and_accepts_a_partial_one),
		TEST(drops_a_syn_from_port_0),
		TEST(drops_sources_that_no_host_has),
		TEST(drops_a_segment_that_claims_to_come_from_its_own_destination),
		TEST(drops_multicast_and_broadcast_destinations),
		TEST(answers_on_loopback),
		TEST(refuses_a_syn_when_the_table_is_full),
		TEST(goes_far_above_the_old_connection_in_time_wait),
		TEST(starts_with_a_valid_configuration_only),
		TEST(names_every_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
