/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Cookies that come back: which are accepted, what they say, and the flow that they open. */
#include "fixture.h"

#include "cookie_fixture.h"

#define ISN 0xcafe0000u

static uint32_t cookie_of_slot(const char *local, const char *remote, uint32_t slot)
{
	struct tuple tuple = tuple_of(local, remote);

	return cookie_expected(&tuple, ISN, slot, 5);
}

/* The segment that acknowledges a cookie, as the remote sends it. */
static struct segment ack_with(const char *local, const char *remote, uint32_t slot)
{
	return (struct segment){
		.tuple = tuple_of(remote, local),
		.seq = ISN + 1,
		.ack = cookie_of_slot(local, remote, slot) + 1,
		.flags = TCP_ACK,
		.window = 500,
		.options = {.has_timestamps = true,
			    .tsval = 1,
			    .tsecr = 0x12340 | NOL_COOKIE_TS_SACK | 7},
	};
}

static struct nol_stats read_stats(void)
{
	struct nol_stats stats;

	assert_int_equal(kern_stats_read(kern, &stats), 0);
	return stats;
}

static void send_in(const struct segment *segment, struct frame *frame)
{
	frame_build(frame, segment);
	assert_int_equal(run_ingress(frame), XDP_DROP);
}

static void assert_accepted(const struct segment *segment)
{
	struct frame frame;

	send_in(segment, &frame);
	assert_held(&frame, NOL_HOLD_COOKIE);
	assert_int_equal(taken.record.held, 1);
	assert_only_counted(held_cookie);
}

static void assert_terms(uint16_t mss, uint8_t options, uint8_t wscale)
{
	assert_int_equal(taken.record.terms.mss, mss);
	assert_int_equal(taken.record.terms.options, options);
	assert_int_equal(taken.record.terms.wscale, wscale);
	assert_int_equal(taken.record.terms.ts_offset, COOKIE_TS_OFFSET);
}

static void opens_a_flow_for_a_cookie(void **state)
{
	struct segment ack = ack_with(V4_LOCAL, V4_REMOTE, COOKIE_SLOT);
	struct nol_flow flow;

	(void)state;
	cookie_enable(NOL_ANSWER_PLAIN);
	assert_accepted(&ack);
	assert_terms(1460, NOL_TERM_TIMESTAMPS | NOL_TERM_SACK | NOL_TERM_WSCALE, 7);
	flow = get_flow(V4_LOCAL, V4_REMOTE);
	assert_int_equal(flow.state, NOL_FLOW_SYN_RECEIVED);
	assert_int_equal(flow.held, 1);
	assert_int_equal(flow.method, NOL_METHOD_XDP);
	assert_int_equal(flow.created_ns, taken.record.held_ns);
}

static void opens_a_flow_over_ipv6(void **state)
{
	struct segment ack = ack_with(V6_LOCAL, V6_REMOTE, COOKIE_SLOT);

	(void)state;
	cookie_enable(NOL_ANSWER_PLAIN);
	assert_accepted(&ack);
	assert_terms(1440, NOL_TERM_TIMESTAMPS | NOL_TERM_SACK | NOL_TERM_WSCALE, 7);
	assert_int_equal(get_flow(V6_LOCAL, V6_REMOTE).held, 1);
}

static void accepts_data_and_fin(void **state)
{
	struct segment ack = ack_with(V4_LOCAL, V4_REMOTE, COOKIE_SLOT);

	(void)state;
	ack.flags = TCP_ACK | TCP_PSH | TCP_FIN;
	ack.payload = (const uint8_t *)"request";
	ack.payload_len = 7;
	cookie_enable(NOL_ANSWER_PLAIN);
	assert_accepted(&ack);
}

static void reads_no_window_scale(void **state)
{
	struct segment ack = ack_with(V4_LOCAL, V4_REMOTE, COOKIE_SLOT);

	(void)state;
	ack.options.tsecr = 0x12340 | NOL_COOKIE_TS_WSCALE;
	cookie_enable(NOL_ANSWER_PLAIN);
	assert_accepted(&ack);
	assert_terms(1460, NOL_TERM_TIMESTAMPS, 0);
}

static void agrees_to_the_mss_alone_without_timestamps(void **state)
{
	struct segment ack = ack_with(V4_LOCAL, V4_REMOTE, COOKIE_SLOT);

	(void)state;
	ack.options = (struct tcp_options){0};
	cookie_enable(NOL_ANSWER_PLAIN);
	assert_accepted(&ack);
	assert_terms(1460, 0, 0);
}

static void holds_the_next_packet_as_the_second_of_the_flow(void **state)
{
	struct segment ack = ack_with(V4_LOCAL, V4_REMOTE, COOKIE_SLOT);
	struct frame frame;

	(void)state;
	cookie_enable(NOL_ANSWER_PLAIN);
	assert_accepted(&ack);
	send_in(&ack, &frame);
	assert_held(&frame, NOL_HOLD_FLOW);
	assert_int_equal(taken.record.held, 2);
}

static void accepts_the_slot_before(void **state)
{
	struct segment ack = ack_with(V4_LOCAL, V4_REMOTE, COOKIE_SLOT - 1);

	(void)state;
	cookie_enable(NOL_ANSWER_PLAIN);
	assert_accepted(&ack);
}

static void assert_stray(const struct segment *segment, uint64_t expired, uint64_t forged)
{
	struct nol_stats stats;
	struct frame frame;

	send_in(segment, &frame);
	assert_held(&frame, NOL_HOLD_STRAY);
	stats = read_stats();
	assert_int_equal(stats.held_stray, 1);
	assert_int_equal(stats.held_cookie, 0);
	assert_int_equal(stats.cookie_expired, expired);
	assert_int_equal(stats.cookie_forged, forged);
}

static void tells_an_expired_cookie(void **state)
{
	struct segment ack = ack_with(V4_LOCAL, V4_REMOTE, COOKIE_SLOT - 2);

	(void)state;
	cookie_enable(NOL_ANSWER_PLAIN);
	assert_stray(&ack, 1, 0);
}

static void tells_a_forged_cookie(void **state)
{
	struct segment ack = ack_with(V4_LOCAL, V4_REMOTE, COOKIE_SLOT);

	(void)state;
	ack.ack ^= 1 << NOL_COOKIE_HASH_SHIFT;
	cookie_enable(NOL_ANSWER_PLAIN);
	assert_stray(&ack, 0, 1);
}

static void rejects_a_cookie_of_another_class(void **state)
{
	struct segment ack = ack_with(V4_LOCAL, V4_REMOTE, COOKIE_SLOT);

	(void)state;
	ack.ack = ((ack.ack - 1) ^ 1 << NOL_COOKIE_SLOT_BITS) + 1;
	cookie_enable(NOL_ANSWER_PLAIN);
	assert_stray(&ack, 0, 1);
}

static void rejects_a_cookie_of_another_isn(void **state)
{
	struct segment ack = ack_with(V4_LOCAL, V4_REMOTE, COOKIE_SLOT);

	(void)state;
	ack.seq++;
	cookie_enable(NOL_ANSWER_PLAIN);
	assert_stray(&ack, 0, 1);
}

static void rejects_a_cookie_of_another_flow(void **state)
{
	struct segment ack = ack_with(V4_LOCAL, V4_REMOTE, COOKIE_SLOT);

	(void)state;
	ack.tuple.local.port++;
	cookie_enable(NOL_ANSWER_PLAIN);
	assert_stray(&ack, 0, 1);
}

static void reads_no_cookie_from_a_rst(void **state)
{
	struct segment ack = ack_with(V4_LOCAL, V4_REMOTE, COOKIE_SLOT);

	(void)state;
	ack.flags |= TCP_RST;
	cookie_enable(NOL_ANSWER_PLAIN);
	assert_stray(&ack, 0, 0);
}

static void looks_for_no_cookies_while_they_are_off(void **state)
{
	struct segment ack = ack_with(V4_LOCAL, V4_REMOTE, COOKIE_SLOT);

	(void)state;
	assert_stray(&ack, 0, 0);
}

/* User space makes room and the entry. */
static void holds_a_cookie_without_an_entry_when_the_table_is_full(void **state)
{
	struct segment ack = ack_with(V4_LOCAL, V4_REMOTE, COOKIE_SLOT);
	struct nol_flow flow;
	struct frame frame;
	char remote[32];

	(void)state;
	cookie_enable(NOL_ANSWER_PLAIN);
	for (int i = 0; i < 16; i++) {
		snprintf(remote, sizeof(remote), "10.0.1.1:%d", 1000 + i);
		add_flow(V4_LOCAL, remote, NOL_FLOW_CLOSED);
	}
	send_in(&ack, &frame);
	assert_held(&frame, NOL_HOLD_COOKIE);
	assert_int_equal(taken.record.held, 0);
	assert_int_equal(
		kern_flow_get(kern, &(struct tuple){ack.tuple.remote, ack.tuple.local}, &flow),
		-ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(opens_a_flow_for_a_cookie),
		fixture_test(opens_a_flow_over_ipv6),
		fixture_test(accepts_data_and_fin),
		fixture_test(reads_no_window_scale),
		fixture_test(agrees_to_the_mss_alone_without_timestamps),
		fixture_test(holds_the_next_packet_as_the_second_of_the_flow),
		fixture_test(accepts_the_slot_before),
		fixture_test(tells_an_expired_cookie),
		fixture_test(tells_a_forged_cookie),
		fixture_test(rejects_a_cookie_of_another_class),
		fixture_test(rejects_a_cookie_of_another_isn),
		fixture_test(rejects_a_cookie_of_another_flow),
		fixture_test(reads_no_cookie_from_a_rst),
		fixture_test(looks_for_no_cookies_while_they_are_off),
		fixture_test(holds_a_cookie_without_an_entry_when_the_table_is_full),
	};

	if (!fixture_enter())
		return 0;
	return cmocka_run_group_tests_name("cookie", tests, NULL, NULL);
}
