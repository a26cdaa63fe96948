/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Several keys at once: one makes cookies, those that are open are accepted. */
#include "answer_fixture.h"

static const struct tcp_options offered = {
	.has_mss = true,
	.mss = 1440, /* of a class that both families have */
	.has_sack_permitted = true,
	.has_timestamps = true,
	.tsval = 77,
	.has_wscale = true,
	.wscale = 7,
};

/* The keys that the fixture knows are those of this set; others have none that anybody knows. */
static void move_keys(unsigned int set)
{
	struct nol_cookie *cookie = kern_cookie(kern);
	__u64 known[NOL_COOKIE_SLOTS][2];

	cookie_enable(NOL_ANSWER_ALL);
	memcpy(known, cookie->keys[0], sizeof(known));
	memset(cookie->keys, 0xee, sizeof(cookie->keys));
	memcpy(cookie->keys[set], known, sizeof(known));
	cookie->is_open[set] = 1;
}

static struct segment ack_of(const char *local, const char *remote)
{
	const struct tuple tuple = tuple_of(local, remote);

	return (struct segment){
		.tuple = tuple_of(remote, local),
		.seq = ISN + 1,
		.ack = cookie_expected(&tuple, ISN, COOKIE_SLOT, code_of(&tuple, &offered, 1440)) +
		       1,
		.flags = TCP_ACK,
		.window = 500,
		.options = {.has_timestamps = true,
			    .tsval = 78,
			    .tsecr = cookie_now_ms() + cookie_ts_offset(&tuple, ISN, COOKIE_SLOT)},
	};
}

static void assert_accepted(const char *local, const char *remote)
{
	const struct segment ack = ack_of(local, remote);
	const struct tuple tuple = tuple_of(local, remote);
	struct frame frame;

	frame_build(&frame, &ack);
	assert_int_equal(run_ingress(&frame), XDP_DROP);
	assert_held(&frame, NOL_HOLD_COOKIE);
	assert_int_equal(taken.record.terms.ts_offset, cookie_ts_offset(&tuple, ISN, COOKIE_SLOT));
	assert_int_equal(taken.record.terms.options,
			 NOL_TERM_TIMESTAMPS | NOL_TERM_SACK | NOL_TERM_WSCALE);
	assert_int_equal(taken.record.terms.wscale, 7);
}

static void accepts_the_cookies_of_every_open_set(void **state)
{
	(void)state;
	for (unsigned int set = 0; set < NOL_COOKIE_SETS; set++) {
		const struct tuple v4 = tuple_of(V4_LOCAL, V4_REMOTE);
		const struct tuple v6 = tuple_of(V6_LOCAL, V6_REMOTE);

		move_keys(set);
		kern_cookie(kern)->making = (set + 1) % NOL_COOKIE_SETS;
		assert_accepted(V4_LOCAL, V4_REMOTE);
		assert_accepted(V6_LOCAL, V6_REMOTE);
		kern_flow_remove(kern, &v4, NULL);
		kern_flow_remove(kern, &v6, NULL);
		spare_forget_cookies(kern);
	}
}

static void refuses_those_of_a_set_that_is_closed(void **state)
{
	struct segment ack;
	struct nol_stats stats;
	struct frame frame;

	(void)state;
	move_keys(3);
	kern_cookie(kern)->is_open[3] = 0;
	ack = ack_of(V4_LOCAL, V4_REMOTE);
	frame_build(&frame, &ack);
	assert_reset(&frame);
	assert_int_equal(kern_stats_read(kern, &stats), 0);
	assert_int_equal(stats.cookie_forged, 1);
}

/* On the short way and, for an option that this one does not know, on the general one. */
static void makes_them_with_the_set_that_it_is_told(void **state)
{
	struct segment fast = syn_with(V4_LOCAL, V4_REMOTE, offered);
	struct segment general = syn_with(V6_LOCAL, V6_REMOTE, offered);
	struct sent sent;

	(void)state;
	general.options.has_timestamps = false;
	for (unsigned int set = 0; set < NOL_COOKIE_SETS; set++) {
		move_keys(set);
		kern_cookie(kern)->making = set;
		sent = answer_to(&fast);
		assert_int_equal(parse_sent(&sent).seq, ack_of(V4_LOCAL, V4_REMOTE).ack - 1);
		sent = answer_to(&general);
		assert_int_equal(parse_sent(&sent).seq, ack_of(V6_LOCAL, V6_REMOTE).ack - 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(accepts_the_cookies_of_every_open_set),
		fixture_test(refuses_those_of_a_set_that_is_closed),
		fixture_test(makes_them_with_the_set_that_it_is_told),
	};

	if (!fixture_enter())
		return 0;
	return cmocka_run_group_tests_name("cookie_sets", tests, NULL, NULL);
}
