/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* While somebody guesses cookies: what comes without a timestamp, which is what he would leave out, is worth the least. */
#include "answer_fixture.h"

static const struct tcp_options windows_options = {
	.has_mss = true,
	.mss = 1460,
	.has_sack_permitted = true,
	.has_wscale = true,
	.wscale = 8,
};

static const struct tcp_options mss_only = {.has_mss = true, .mss = COOKIE_MSS_V4};

/* Is an acknowledgement of the cookie with this code accepted? */
static bool is_accepted(uint32_t code, bool has_echo)
{
	const struct tuple tuple = tuple_of(V4_LOCAL, V4_REMOTE);
	const struct segment ack = {
		.tuple = {.local = tuple.remote, .remote = tuple.local},
		.seq = ISN + 1,
		.ack = cookie_expected(&tuple, ISN, COOKIE_SLOT, code) + 1,
		.flags = TCP_ACK,
		.window = 500,
		.options = {.has_timestamps = has_echo,
			    .tsval = 1,
			    .tsecr = cookie_now_ms() + cookie_ts_offset(&tuple, ISN, COOKIE_SLOT)},
	};
	struct frame frame;

	frame_build(&frame, &ack);
	if (run_ingress(&frame) == XDP_TX)
		return false;
	assert_held(&frame, NOL_HOLD_COOKIE);
	kern_flow_remove(kern, &tuple, NULL);
	spare_forget_cookies(kern);
	return true;
}

static void takes_options_only_with_an_echo(void **state)
{
	const struct tuple tuple = tuple_of(V4_LOCAL, V4_REMOTE);
	const uint32_t bare = cookie_code(&tuple, 1460, NOL_COOKIE_NO_WSCALE, false);
	const uint32_t rich = cookie_code(&tuple, 1460, 7, true);
	struct nol_stats stats;

	(void)state;
	cookie_enable(NOL_ANSWER_ALL);
	kern_cookie(kern)->is_wary = 1;
	assert_false(is_accepted(rich, false));
	assert_int_equal(kern_stats_read(kern, &stats), 0);
	assert_int_equal(stats.cookie_forged, 1);
	assert_true(is_accepted(bare, false));
	assert_true(is_accepted(rich, true));
	kern_cookie(kern)->is_wary = 0;
	assert_true(is_accepted(rich, false));
}

static void offers_an_mss_only_without_timestamps(void **state)
{
	struct segment syn = syn_with(V4_LOCAL, V4_REMOTE, windows_options);
	struct tuple tuple = {.local = syn.tuple.remote, .remote = syn.tuple.local};
	struct sent sent;

	(void)state;
	cookie_enable(NOL_ANSWER_ALL);
	kern_cookie(kern)->is_wary = 1;
	sent = answer_to(&syn);
	assert_answer_with(&syn, &sent, mss_only,
			   cookie_code(&tuple, 1460, NOL_COOKIE_NO_WSCALE, false));
}

static void takes_no_ecn_without_timestamps(void **state)
{
	struct segment syn = syn_with(V4_LOCAL, V4_REMOTE, windows_options);
	struct sent sent;

	(void)state;
	syn.flags |= TCP_ECE | TCP_CWR;
	cookie_enable_ecn(NOL_ANSWER_ALL);
	sent = answer_to(&syn);
	assert_int_equal(parse_sent(&sent).flags, TCP_SYN | TCP_ACK | TCP_ECE);
	kern_cookie(kern)->is_wary = 1;
	sent = answer_to(&syn);
	assert_int_equal(parse_sent(&sent).flags, TCP_SYN | TCP_ACK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(takes_options_only_with_an_echo),
		fixture_test(offers_an_mss_only_without_timestamps),
		fixture_test(takes_no_ecn_without_timestamps),
	};

	if (!fixture_enter())
		return 0;
	return cmocka_run_group_tests_name("wary", tests, NULL, NULL);
}
