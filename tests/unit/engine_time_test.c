/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Time in the engine: retransmissions, deadlines, rate limits, and the clock behind the ISS. */
#include <pthread.h>

#include "engine_script.h"

#include "isn.h"

static void sends_the_syn_ack_again_after_1_3_7_15_and_31_seconds(void **state)
{
	const unsigned int waits_s[] = {1, 2, 4, 8, 16};

	(void)state;
	SYN_IN(1000, MSS(1460), WSCALE(7), TS(9, 0));
	for (size_t i = 0; i < 5; i++) {
		AFTER_MS(waits_s[i] * 1000 - 1);
		EXPECT_SILENCE();
		AFTER_MS(1);
		EXPECT(TCP_SYN | TCP_ACK, .seq = 0, .ack = 1001, .window = 65535);
		EXPECT_OPTIONS(MSS(1460), WSCALE(SCRIPT_WSCALE), TS(NOW_MS, 9));
		EXPECT_EVENT(ENGINE_NOTHING);
		assert_int_equal(script_flow()->retransmits, i + 1);
		assert_true(script_flow()->sent_ns == script.now_ns);
	}
	AFTER_MS(31999);
	EXPECT_EVENT(ENGINE_NOTHING);
	AFTER_MS(1);
	EXPECT_SILENCE();
	EXPECT_EVENT(ENGINE_EVENT_EXPIRED);
	EXPECT_REASON(ENGINE_REASON_TIMEOUT);
	assert_true(script.action.flow->created_ns + 63 * CLOCK_NS_PER_S == script.now_ns);
	EXPECT_FLOWS(0);
}

static void waits_120_seconds_at_most(void **state)
{
	const unsigned int waits_s[] = {1, 2, 4, 8, 16, 32, 64, 120, 120, 120};

	(void)state;
	script.config.settings.syn_ack_retries = 255;
	script_restart();
	SYN_IN(1000);
	for (size_t i = 0; i < 10; i++) {
		uint64_t deadline_ns = script.now_ns + waits_s[i] * CLOCK_NS_PER_S;

		assert_true(engine_deadline_ns(script.engine) == deadline_ns);
		AFTER_MS(waits_s[i] * 1000);
		EXPECT(TCP_SYN | TCP_ACK, .ack = 1001);
	}
}

static void expires_at_once_without_retries(void **state)
{
	(void)state;
	script.config.settings.syn_ack_retries = 0;
	script_restart();
	SYN_IN(1000);
	AFTER_MS(1000);
	EXPECT_EVENT(ENGINE_EVENT_EXPIRED);
}

static void completes_after_a_retransmission(void **state)
{
	(void)state;
	SYN_IN(1000);
	AFTER_MS(1000);
	ACK_IN(1001, 1);
	EXPECT_EVENT(ENGINE_EVENT_ESTABLISHED);
	AFTER_MS(200000);
	EXPECT_EVENT(ENGINE_NOTHING);
	EXPECT_SILENCE();
	EXPECT_FLOWS(1);
}

static void expires_flows_in_the_order_of_their_deadlines(void **state)
{
	uint64_t last_ns = 0;
	unsigned int count = 0;

	(void)state;
	for (uint16_t port = 1; port <= 8; port++) {
		FROM_PORT(port);
		SYN_IN(1000);
		AFTER_MS(100);
	}
	for (; engine_flow_count(script.engine); count++) {
		uint64_t deadline_ns = engine_deadline_ns(script.engine);
		struct engine_action action;

		assert_true(deadline_ns > last_ns);
		assert_false(engine_expire(script.engine, deadline_ns - 1, &action));
		assert_true(engine_expire(script.engine, deadline_ns, &action));
		assert_int_equal(action.flow->tuple.remote.port, 1 + count % 8);
		last_ns = deadline_ns;
	}
	assert_int_equal(count, 8 * 6);
	assert_true(engine_deadline_ns(script.engine) == UINT64_MAX);
}

static void takes_flows_out_of_the_middle_of_the_timers(void **state)
{
	struct engine_action action;

	(void)state;
	for (uint16_t port = 1; port <= 5; port++) {
		FROM_PORT(port);
		SYN_IN(1000);
	}
	for (uint16_t port = 1; port <= 5; port += 2) {
		FROM_PORT(port);
		RST_IN(1001);
		EXPECT_EVENT(ENGINE_EVENT_RESET);
	}
	script.now_ns += CLOCK_NS_PER_S;
	for (uint16_t port = 2; port <= 4; port += 2) {
		assert_true(engine_expire(script.engine, script.now_ns, &action));
		assert_int_equal(action.flow->tuple.remote.port, port);
	}
	assert_false(engine_expire(script.engine, script.now_ns, &action));
}

static void limits_the_resets_of_all_flows_together(void **state)
{
	(void)state;
	script.config.resets_per_s = 3;
	script_restart();
	for (uint16_t port = 1; port <= 3; port++) {
		FROM_PORT(port);
		ACK_IN(1000, 5000);
		EXPECT(TCP_RST, .seq = 5000);
	}
	ACK_IN(1000, 5000);
	EXPECT_SILENCE();
	EXPECT_REASON(ENGINE_REASON_RATE_LIMITED);
	AFTER_MS(334);
	ACK_IN(1000, 5000);
	EXPECT(TCP_RST, .seq = 5000);
	ACK_IN(1000, 5000);
	EXPECT_SILENCE();
}

static void removes_the_flow_of_a_new_syn_even_if_the_reset_is_withheld(void **state)
{
	(void)state;
	script.config.resets_per_s = 0;
	script_restart();
	SYN_IN(1000);
	ACK_IN(900, 1);
	EXPECT_SILENCE();
	EXPECT_REASON(ENGINE_REASON_RATE_LIMITED);
	SYN_IN(2000);
	EXPECT_SILENCE();
	EXPECT_EVENT(ENGINE_EVENT_RESET);
	EXPECT_REASON(ENGINE_REASON_NEW_SYN);
	EXPECT_FLOWS(0);
}

static void does_not_limit_syn_acks_of_new_flows(void **state)
{
	(void)state;
	script.config.resets_per_s = 0;
	script_restart();
	for (uint16_t port = 1; port <= 8; port++) {
		FROM_PORT(port);
		SYN_IN(1000);
		EXPECT(TCP_SYN | TCP_ACK, .ack = 1001);
	}
}

static unsigned int take_all(struct nol_limit *limit, uint64_t now_ns)
{
	unsigned int taken = 0;

	while (nol_limit_take(limit, now_ns))
		taken++;
	return taken;
}

static void a_bucket_fills_up_to_its_size(void **state)
{
	struct nol_limit limit;

	(void)state;
	nol_limit_set(&limit, 10);
	assert_int_equal(take_all(&limit, 0), 10);
	assert_false(nol_limit_has(&limit, 99999999));
	assert_false(nol_limit_take(&limit, 99999999));
	assert_true(nol_limit_has(&limit, 100000000));
	assert_true(nol_limit_take(&limit, 100000000));
	assert_int_equal(take_all(&limit, 3600 * CLOCK_NS_PER_S), 10);
}

/* The coarse clock, and another processor's. */
static void a_taker_whose_clock_is_behind_takes_nothing_twice(void **state)
{
	struct nol_limit limit;

	(void)state;
	nol_limit_set(&limit, 10);
	assert_int_equal(take_all(&limit, 10 * CLOCK_NS_PER_S), 10);
	assert_int_equal(take_all(&limit, 9 * CLOCK_NS_PER_S), 0);
	assert_int_equal(take_all(&limit, 11 * CLOCK_NS_PER_S), 10);
}

static void a_bucket_of_the_largest_rate_does_not_overflow(void **state)
{
	struct nol_limit limit;

	(void)state;
	nol_limit_set(&limit, UINT32_MAX);
	for (int i = 0; i < 1000; i++)
		assert_true(nol_limit_take(&limit, UINT64_MAX / 2));
	nol_limit_set(&limit, 0);
	assert_false(nol_limit_take(&limit, UINT64_MAX / 2));
}

#define TAKERS 4

static void *take_in_a_thread(void *limit)
{
	uintptr_t taken = 0;

	for (int i = 0; i < 20000; i++)
		taken += nol_limit_take(limit, 0);
	return (void *)taken;
}

/* All at the same instant, so that nothing comes in meanwhile. */
static void threads_take_no_more_than_there_is(void **state)
{
	struct nol_limit limit;
	pthread_t threads[TAKERS];
	uintptr_t sum = 0;

	(void)state;
	nol_limit_set(&limit, 10000);
	for (int i = 0; i < TAKERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, take_in_a_thread, &limit), 0);
	for (int i = 0; i < TAKERS; i++) {
		void *taken;

		assert_int_equal(pthread_join(threads[i], &taken), 0);
		sum += (uintptr_t)taken;
	}
	assert_int_equal(sum, 10000);
}

static void engines_that_share_a_limit_share_its_tokens(void **state)
{
	struct nol_limit shared;

	(void)state;
	nol_limit_set(&shared, 2);
	script.config.limit = &shared;
	script_restart();
	ACK_IN(1000, 5000);
	EXPECT(TCP_RST, .seq = 5000);
	assert_true(nol_limit_take(&shared, script.now_ns));
	ACK_IN(1000, 5000);
	EXPECT_SILENCE();
	EXPECT_REASON(ENGINE_REASON_RATE_LIMITED);
	AFTER_MS(500);
	ACK_IN(1000, 5000);
	EXPECT(TCP_RST, .seq = 5000);
}

static void the_iss_grows_by_one_in_64_ns(void **state)
{
	struct isn a = isn_make(script.config.key, &script.tuple, 0);
	struct isn b = isn_make(script.config.key, &script.tuple, 64000);

	(void)state;
	assert_int_equal(b.iss - a.iss, 1000);
	assert_int_equal(a.ts_offset, b.ts_offset);
}

static void the_iss_depends_on_the_tuple_and_the_key(void **state)
{
	struct isn here = isn_make(script.config.key, &script.tuple, 0);
	struct isn other;

	(void)state;
	script.tuple.remote.port++;
	other = isn_make(script.config.key, &script.tuple, 0);
	assert_int_not_equal(here.iss, other.iss);
	assert_int_not_equal(here.ts_offset, other.ts_offset);
	script.tuple.remote.port--;
	script.config.key[15] ^= 1;
	other = isn_make(script.config.key, &script.tuple, 0);
	assert_int_not_equal(here.iss, other.iss);
}

static void the_clock_may_stand_still_but_not_go_back(void **state)
{
	struct engine_action action;

	(void)state;
	SYN_IN(1000);
	script.now_ns -= CLOCK_NS_PER_S;
	FROM_PORT(9);
	SYN_IN(1000);
	script.now_ns += 2 * CLOCK_NS_PER_S;
	assert_true(engine_expire(script.engine, script.now_ns, &action));
	assert_true(engine_expire(script.engine, script.now_ns, &action));
	assert_int_equal(action.flow->tuple.remote.port, 9);
}

/* Wherever on the circle the clock stands; just behind snd_nxt is half a circle ahead of the gap. */
static void the_iss_after_time_wait_is_always_far_ahead(void **state)
{
	static const uint32_t snd_nxt[] = {0, 1000, 0x7fffffff, 0x80000000, 0xffff0000};
	static const uint32_t offsets[] = {0,	       1,	   65536,      65537,
					   65538,      0x7fffffff, 0x80000000, 0x80000001,
					   0x80010000, 0xffffffff};

	(void)state;
	for (size_t i = 0; i < sizeof(snd_nxt) / sizeof(snd_nxt[0]); i++)
		for (size_t k = 0; k < sizeof(offsets) / sizeof(offsets[0]); k++) {
			const uint32_t iss = isn_above(snd_nxt[i] + offsets[k], snd_nxt[i]);

			assert_in_range(iss - snd_nxt[i], 65537, 0x7fffffff);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sends_the_syn_ack_again_after_1_3_7_15_and_31_seconds),
		TEST(waits_120_seconds_at_most),
		TEST(expires_at_once_without_retries),
		TEST(completes_after_a_retransmission),
		TEST(expires_flows_in_the_order_of_their_deadlines),
		TEST(takes_flows_out_of_the_middle_of_the_timers),
		TEST(limits_the_resets_of_all_flows_together),
		TEST(removes_the_flow_of_a_new_syn_even_if_the_reset_is_withheld),
		TEST(does_not_limit_syn_acks_of_new_flows),
		TEST(a_bucket_fills_up_to_its_size),
		TEST(a_taker_whose_clock_is_behind_takes_nothing_twice),
		TEST(threads_take_no_more_than_there_is),
		TEST(engines_that_share_a_limit_share_its_tokens),
		TEST(a_bucket_of_the_largest_rate_does_not_overflow),
		TEST(the_iss_grows_by_one_in_64_ns),
		TEST(the_iss_depends_on_the_tuple_and_the_key),
		TEST(the_clock_may_stand_still_but_not_go_back),
		TEST(the_iss_after_time_wait_is_always_far_ahead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
