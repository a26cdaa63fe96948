/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* After lost SYN-ACKs: which flows start slowly, and what window their sockets believe in. */
#include "first_flight.h"

#include "engine_script.h"

static void lose(unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		AFTER_MS(1000u << i);
		EXPECT(TCP_SYN | TCP_ACK, .ack = 1001);
	}
}

static void two_timeouts_make_a_slow_start(void **state)
{
	(void)state;
	SYN_IN(1000, MSS(1460));
	lose(2);
	ACK_IN(1001, 1);
	EXPECT_EVENT(ENGINE_EVENT_ESTABLISHED);
	assert_true(script_flow()->starts_slowly);
}

static void one_timeout_does_not(void **state)
{
	(void)state;
	SYN_IN(1000, MSS(1460));
	lose(1);
	ACK_IN(1001, 1);
	assert_false(script_flow()->starts_slowly);
}

/* They were sent because the remote asked, not because nothing came. */
static void repeated_syns_do_not(void **state)
{
	(void)state;
	SYN_IN(1000, MSS(1460));
	for (int i = 0; i < 3; i++) {
		script.now_ns += 500 * CLOCK_NS_PER_MS;
		SYN_IN(1000, MSS(1460));
	}
	assert_true(script_flow()->retransmits > 1);
	ACK_IN(1001, 1);
	assert_false(script_flow()->starts_slowly);
}

static void an_echo_of_the_first_shows_that_nothing_was_lost(void **state)
{
	uint32_t first_ms;

	(void)state;
	SYN_IN(1000, MSS(1460), TS(77, 0));
	first_ms = NOW_MS;
	lose(2);
	ACK_IN(1001, 1, TS(78, first_ms));
	EXPECT_EVENT(ENGINE_EVENT_ESTABLISHED);
	assert_false(script_flow()->starts_slowly);
}

static void an_echo_of_the_last_does_not(void **state)
{
	(void)state;
	SYN_IN(1000, MSS(1460), TS(77, 0));
	lose(2);
	ACK_IN(1001, 1, TS(78, NOW_MS));
	assert_true(script_flow()->starts_slowly);
}

static struct engine_flow flow_of(uint16_t mss, uint8_t wscale, bool has_timestamps)
{
	return (struct engine_flow){
		.remote_mss = mss,
		.remote_wscale = wscale,
		.remote_window = 50000,
		.has_timestamps = has_timestamps,
		.starts_slowly = true,
	};
}

/* The window that is left of one of 50000, over IPv4 or IPv6. */
static uint16_t limited(const struct engine_flow *flow, const char *local, const char *remote)
{
	struct segment segment = {.flags = TCP_ACK, .window = 50000}, parsed;
	uint8_t packet[128];
	size_t len;

	segment.tuple.local = script_endpoint(local);
	segment.tuple.remote = script_endpoint(remote);
	len = segment_build(&segment, packet, sizeof(packet));
	first_flight_limit(flow, packet, len);
	assert_int_equal(segment_parse(packet, len, &parsed), SEGMENT_OK);
	return parsed.window;
}

static uint16_t limited_v4(const struct engine_flow *flow)
{
	return limited(flow, "10.0.0.1:5", "10.0.0.2:6");
}

static void the_window_is_one_segment(void **state)
{
	struct engine_flow flow = flow_of(1460, 0, true);

	(void)state;
	assert_int_equal(first_flight_window(&flow), 1448);
	assert_int_equal(limited_v4(&flow), 1448);
	assert_int_equal(limited(&flow, "[fd00::1]:5", "[fd00::2]:6"), 1448);
	flow.has_timestamps = false;
	assert_int_equal(first_flight_window(&flow), 1460);
	assert_int_equal(limited_v4(&flow), 1460);
}

static void a_scaled_window_is_the_next_larger(void **state)
{
	const struct engine_flow seven = flow_of(1460, 7, true), most = flow_of(1460, 14, true);

	(void)state;
	assert_int_equal(limited_v4(&seven), 12); /* 1536 bytes */
	assert_int_equal(limited_v4(&most), 1);
}

/* A socket has no smaller MSS than 88, and would wait for ever for room for that. */
static void the_smallest_segment_has_room(void **state)
{
	const struct engine_flow flow = flow_of(48, 0, false);

	(void)state;
	assert_int_equal(first_flight_window(&flow), 88);
	assert_int_equal(limited_v4(&flow), 88);
}

static void a_smaller_window_stays(void **state)
{
	struct engine_flow flow = flow_of(1460, 0, false);

	(void)state;
	flow.remote_window = 100;
	assert_int_equal(first_flight_window(&flow), 100);
}

static void other_flows_have_their_window(void **state)
{
	struct engine_flow flow = flow_of(1460, 0, false);

	(void)state;
	flow.starts_slowly = false;
	assert_int_equal(first_flight_window(&flow), 50000);
	assert_int_equal(limited_v4(&flow), 50000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(two_timeouts_make_a_slow_start),
		TEST(one_timeout_does_not),
		TEST(repeated_syns_do_not),
		TEST(an_echo_of_the_first_shows_that_nothing_was_lost),
		TEST(an_echo_of_the_last_does_not),
		TEST(the_window_is_one_segment),
		TEST(a_scaled_window_is_the_next_larger),
		TEST(the_smallest_segment_has_room),
		TEST(a_smaller_window_stays),
		TEST(other_flows_have_their_window),
	};

	return cmocka_run_group_tests_name("first flight", tests, NULL, NULL);
}
