/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Flows that begin established, by a terms. */
#include <string.h>

#include "unit/cmocka_setup.h"

#include "advertise.h"
#include "clock.h"
#include "engine.h"

#define NOW_NS (1000 * CLOCK_NS_PER_S)

static struct engine *engine;

static int setup(void **state)
{
	const struct engine_config config = {
		.max_flows = 2,
		.settings = {.v4 = {.mss = 1460,
				    .path_mss = 1460,
				    .window = {64000, 63000},
				    .wscale = 9},
			     .v6 = {.mss = 1440,
				    .path_mss = 1440,
				    .window = {64000, 63000},
				    .wscale = 9},
			     .offers = ADVERTISE_OFFERS},
		.resets_per_s = 100,
	};

	(void)state;
	return engine_new(&engine, &config);
}

static int teardown(void **state)
{
	(void)state;
	engine_free(engine);
	return 0;
}

static struct segment ack_from(uint16_t port)
{
	struct segment segment = {
		.seq = 5001,
		.ack = 9001,
		.flags = TCP_ACK,
		.window = 100,
		.options = {.has_timestamps = true, .tsval = 77, .tsecr = 1007},
		.checksum = CHECKSUM_VALID,
	};

	assert_true(endpoint_parse("10.0.0.2:80", &segment.tuple.local));
	assert_true(endpoint_parse("10.0.0.1:1", &segment.tuple.remote));
	segment.tuple.remote.port = port;
	return segment;
}

/* What makes this TSval of the clock at NOW_NS. */
static uint32_t offset_for(uint32_t tsval)
{
	return tsval - nol_clock_ms(NOW_NS);
}

static struct nol_terms full_terms(void)
{
	return (struct nol_terms){
		.mss = 1400,
		.options = NOL_TERM_WSCALE | NOL_TERM_SACK | NOL_TERM_TIMESTAMPS,
		.wscale = 7,
		.ts_offset = offset_for(1200),
	};
}

static struct engine_action adopt(const struct segment *segment, const struct nol_terms *terms)
{
	struct engine_action action;

	engine_adopt(engine, segment, terms, NOW_NS, &action);
	return action;
}

static void adopts_what_the_cookie_says(void **state)
{
	struct segment ack = ack_from(1000);
	struct nol_terms terms = full_terms();
	struct engine_action action = adopt(&ack, &terms);
	const struct engine_flow *flow = action.flow;

	(void)state;
	assert_int_equal(action.event, ENGINE_EVENT_ESTABLISHED);
	assert_false(action.has_reply);
	assert_int_equal(flow->state, ENGINE_ESTABLISHED);
	assert_true(flow->is_adopted && !flow->is_active);
	assert_int_equal(flow->iss, 9000);
	assert_int_equal(flow->irs, 5000);
	assert_int_equal(flow->remote_mss, 1400);
	assert_true(flow->has_wscale && flow->has_sack && flow->has_timestamps);
	assert_int_equal(flow->local_wscale, 9);
	assert_int_equal(flow->remote_wscale, 7);
	assert_int_equal(flow->local_window, 63000);
	assert_int_equal(flow->remote_window, 100 << 7);
	assert_int_equal(flow->remote_wl1, 5001);
	assert_int_equal(flow->ts_recent, 77);
	assert_int_equal(flow->established_ns, NOW_NS);
	assert_int_equal(engine_deadline_ns(engine), UINT64_MAX);
}

static void goes_on_with_the_clock_of_the_cookie(void **state)
{
	struct segment ack = ack_from(1000);
	struct nol_terms terms = full_terms();
	struct engine_action action = adopt(&ack, &terms);

	(void)state;
	assert_int_equal(action.flow->ts_offset, terms.ts_offset);
	assert_int_equal(engine_tsval(action.flow, NOW_NS), 1200);
	assert_int_equal(engine_tsval(action.flow, NOW_NS + 5 * CLOCK_NS_PER_MS), 1205);
}

/* Another machine made the cookie, and its clock is ahead. */
static void never_goes_behind_a_tsval_that_was_seen(void **state)
{
	struct segment ack = ack_from(1000);
	struct nol_terms terms = full_terms();
	struct engine_action action;

	(void)state;
	terms.ts_offset = offset_for(900);
	action = adopt(&ack, &terms);
	assert_int_equal(engine_tsval(action.flow, NOW_NS), 1007);
	assert_int_equal(engine_tsval(action.flow, NOW_NS + CLOCK_NS_PER_MS), 1008);
}

/* Whenever the SYN-ACK was stamped, and the flow began: from one nanosecond to the next over the border of a millisecond. */
static void never_goes_behind_its_own_cookie(void **state)
{
	const struct nol_terms terms = full_terms();
	const uint64_t border_ns = 12345678 * CLOCK_NS_PER_MS;
	int steps = 0;

	(void)state;
	for (uint64_t made_ns = border_ns - 3000; made_ns < border_ns + 3000; made_ns += 100) {
		struct segment ack = ack_from(1000);
		struct engine_action action;

		ack.options.tsecr = nol_clock_ms(made_ns) + terms.ts_offset;
		engine_adopt(engine, &ack, &terms, made_ns, &action);
		assert_int_equal(engine_tsval(action.flow, made_ns), ack.options.tsecr);
		steps += nol_clock_ms(made_ns) != nol_clock_ms(made_ns + 100);
		engine_release(engine, action.flow);
	}
	assert_int_equal(steps, 1);
}

/* The echo is what the remote says it is. */
static void believes_no_echo_of_long_ago(void **state)
{
	struct segment ack = ack_from(1000);
	struct nol_terms terms = full_terms();
	struct engine_action action;

	(void)state;
	terms.ts_offset = offset_for(ack.options.tsecr + 600000);
	action = adopt(&ack, &terms);
	assert_int_equal(engine_tsval(action.flow, NOW_NS), ack.options.tsecr + 1000);
}

static void does_without_what_was_not_agreed(void **state)
{
	struct segment ack = ack_from(1000);
	struct nol_terms terms = {.mss = 536};
	struct engine_action action;

	(void)state;
	ack.options = (struct tcp_options){0};
	action = adopt(&ack, &terms);
	assert_int_equal(action.event, ENGINE_EVENT_ESTABLISHED);
	assert_false(action.flow->has_wscale || action.flow->has_sack ||
		     action.flow->has_timestamps);
	assert_int_equal(action.flow->remote_mss, 536);
	assert_int_equal(action.flow->remote_window, 100);
}

static void clamps_the_mss_to_the_path(void **state)
{
	struct segment ack = ack_from(1000);
	struct nol_terms terms = full_terms();

	(void)state;
	terms.mss = 8960;
	assert_int_equal(adopt(&ack, &terms).flow->remote_mss, 1460);
}

static void refuses_when_the_table_is_full(void **state)
{
	struct nol_terms terms = full_terms();
	struct engine_action action;

	(void)state;
	for (uint16_t port = 1; port <= 3; port++) {
		struct segment ack = ack_from(port);

		action = adopt(&ack, &terms);
	}
	assert_int_equal(action.event, ENGINE_EVENT_REFUSED);
	assert_int_equal(action.reason, ENGINE_REASON_TABLE_FULL);
	assert_null(action.flow);
}

static void drops_a_bad_checksum(void **state)
{
	struct segment ack = ack_from(1000);
	struct nol_terms terms = full_terms();
	struct engine_action action;

	(void)state;
	ack.checksum = CHECKSUM_BAD;
	action = adopt(&ack, &terms);
	assert_int_equal(action.event, ENGINE_NOTHING);
	assert_int_equal(action.reason, ENGINE_REASON_BAD_CHECKSUM);
	assert_null(action.flow);
	assert_false(action.has_reply);
	assert_int_equal(engine_flow_count(engine), 0);
}

static void holds_a_second_cookie_of_the_same_flow(void **state)
{
	struct segment ack = ack_from(1000);
	struct nol_terms terms = full_terms();
	struct engine_flow *flow = adopt(&ack, &terms).flow;
	struct engine_action action = adopt(&ack, &terms);

	(void)state;
	assert_int_equal(action.event, ENGINE_EVENT_HELD);
	assert_ptr_equal(action.flow, flow);
	engine_release(engine, flow);
	assert_int_equal(engine_flow_count(engine), 0);
}

#define adopt_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		adopt_test(adopts_what_the_cookie_says),
		adopt_test(goes_on_with_the_clock_of_the_cookie),
		adopt_test(never_goes_behind_a_tsval_that_was_seen),
		adopt_test(never_goes_behind_its_own_cookie),
		adopt_test(believes_no_echo_of_long_ago),
		adopt_test(does_without_what_was_not_agreed),
		adopt_test(clamps_the_mss_to_the_path),
		adopt_test(refuses_when_the_table_is_full),
		adopt_test(drops_a_bad_checksum),
		adopt_test(holds_a_second_cookie_of_the_same_flow),
	};

	return cmocka_run_group_tests_name("engine_adopt", tests, NULL, NULL);
}
