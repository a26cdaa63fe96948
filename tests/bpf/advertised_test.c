/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What XDP's SYN-ACKs advertise by the route to the remote, and which options they decline; on the short way and the general. */
#include "fixture.h"

#include "cookie_fixture.h"

#define ALL (NOL_OFFER_WSCALE | NOL_OFFER_SACK | NOL_OFFER_TIMESTAMPS)

static const struct tcp_options short_way = {
	.has_mss = true,
	.mss = 1460,
	.has_sack_permitted = true,
	.has_timestamps = true,
	.tsval = 1,
	.has_wscale = true,
	.wscale = 7,
};
/* Not in Linux's order: without SACK-permitted there are NOPs. */
static const struct tcp_options general_way = {
	.has_mss = true,
	.mss = 1460,
	.has_timestamps = true,
	.tsval = 1,
	.has_wscale = true,
	.wscale = 7,
};
static const struct tcp_options bare = {.has_mss = true, .mss = 1460};

static struct segment answer_to(const char *remote, const struct tcp_options *options)
{
	const char *local = strchr(remote, '[') ? V6_LOCAL : V4_LOCAL;
	struct segment syn = {.tuple = tuple_of(remote, local), /* as the sender sees it */
			      .seq = 1000,
			      .flags = TCP_SYN,
			      .window = 64240,
			      .options = *options};
	int fd = bpf_program__fd(kern->skel->progs.nol_xdp_ingress);
	uint8_t sent[256];
	struct segment came;
	struct frame frame;

	frame_build(&frame, &syn);
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame.bytes, .data_size_in = frame.len,
		    .data_out = sent, .data_size_out = sizeof(sent));
	assert_int_equal(bpf_prog_test_run_opts(fd, &run), 0);
	assert_int_equal(run.retval, XDP_TX);
	assert_int_equal(
		segment_parse(sent + FIXTURE_ETHERNET, run.data_size_out - FIXTURE_ETHERNET, &came),
		SEGMENT_OK);
	assert_int_equal(came.checksum, CHECKSUM_VALID);
	return came;
}

static void expect(const char *remote, const struct tcp_options *options, uint16_t mss,
		   uint16_t window, uint8_t wscale)
{
	const struct segment came = answer_to(remote, options);

	assert_int_equal(came.options.mss, mss);
	assert_int_equal(came.window, window);
	assert_int_equal(came.options.wscale, wscale);
}

static void set_route(const char *text, uint16_t mss)
{
	const struct nol_advertised advertised = {.mss = mss, .window = {1000, 2000}, .wscale = 3};
	struct prefix prefix;

	assert_true(prefix_parse(text, &prefix));
	assert_int_equal(kern_set_route(kern, &prefix, &advertised), 0);
}

static void enable(void)
{
	cookie_enable(NOL_ANSWER_ALL);
	kern_cookie(kern)->has_routes = 1;
}

static void close_the_general_way(void)
{
	const __u32 first = 0;

	assert_int_equal(bpf_map_delete_elem(bpf_map__fd(kern->skel->maps.nol_general), &first), 0);
}

static void advertises_what_the_route_to_the_remote_has(void **state)
{
	(void)state;
	enable();
	set_route("10.0.0.0/24", 800);
	set_route("fd00::/64", 900);
	expect(V4_REMOTE, &general_way, 800, 2000, 3);
	expect(V6_REMOTE, &general_way, 900, 2000, 3);
	expect(V4_REMOTE, &bare, 800, 1000, 0);
	expect(V6_REMOTE, &bare, 900, 1000, 0);
}

static void advertises_it_on_the_short_way(void **state)
{
	(void)state;
	enable();
	close_the_general_way();
	set_route("10.0.0.0/24", 800);
	set_route("fd00::/64", 900);
	expect(V4_REMOTE, &short_way, 800, 2000, 3);
	expect(V6_REMOTE, &short_way, 900, 2000, 3);
}

static void takes_the_longest_prefix(void **state)
{
	(void)state;
	enable();
	set_route("0.0.0.0/0", 700);
	set_route("10.0.0.0/8", 800);
	set_route("10.0.0.1", 900);
	set_route("::/0", 1000);
	expect("10.0.0.1:50814", &short_way, 900, 2000, 3);
	expect("10.0.0.3:50814", &short_way, 800, 2000, 3);
	expect("11.0.0.1:50814", &short_way, 700, 2000, 3);
	expect("[fd00::1]:50814", &short_way, 1000, 2000, 3);
}

static void advertises_what_all_are_told_to_other_remotes(void **state)
{
	(void)state;
	enable();
	set_route("10.1.0.0/16", 800);
	set_route("fd00:1::/64", 900);
	expect(V4_REMOTE, &short_way, COOKIE_MSS_V4, COOKIE_WINDOW_TS, COOKIE_WSCALE);
	expect(V6_REMOTE, &short_way, COOKIE_MSS_V6, COOKIE_WINDOW_TS + 1, COOKIE_WSCALE);
}

static void asks_no_route_unless_it_is_told_to(void **state)
{
	(void)state;
	cookie_enable(NOL_ANSWER_ALL);
	set_route("10.0.0.0/24", 800);
	expect(V4_REMOTE, &short_way, COOKIE_MSS_V4, COOKIE_WINDOW_TS, COOKIE_WSCALE);
}

static void forgets_a_route_that_is_removed(void **state)
{
	struct prefix prefix;

	(void)state;
	enable();
	set_route("10.0.0.0/24", 800);
	assert_true(prefix_parse("10.0.0.0/24", &prefix));
	assert_int_equal(kern_remove_route(kern, &prefix), 0);
	expect(V4_REMOTE, &short_way, COOKIE_MSS_V4, COOKIE_WINDOW_TS, COOKIE_WSCALE);
}

static void expect_options(uint8_t offers, const struct tcp_options *asked, uint8_t expected)
{
	struct segment came;
	uint8_t found;

	kern_cookie(kern)->offers = offers;
	came = answer_to(V4_REMOTE, asked);
	found = (came.options.has_wscale ? NOL_OFFER_WSCALE : 0) |
		(came.options.has_sack_permitted ? NOL_OFFER_SACK : 0) |
		(came.options.has_timestamps ? NOL_OFFER_TIMESTAMPS : 0);
	assert_true(came.options.has_mss);
	assert_int_equal(found, expected);
}

static void declines_options_that_are_turned_off(void **state)
{
	(void)state;
	cookie_enable(NOL_ANSWER_ALL);
	expect_options(ALL, &short_way, ALL);
	expect_options(ALL & ~NOL_OFFER_SACK, &short_way, ALL & ~NOL_OFFER_SACK);
	expect_options(ALL & ~NOL_OFFER_WSCALE, &short_way, ALL & ~NOL_OFFER_WSCALE);
	expect_options(ALL & ~NOL_OFFER_TIMESTAMPS, &short_way, ALL & ~NOL_OFFER_TIMESTAMPS);
	expect_options(ALL, &general_way, ALL & ~NOL_OFFER_SACK);
	expect_options(NOL_OFFER_TIMESTAMPS, &general_way, NOL_OFFER_TIMESTAMPS);
	expect_options(0, &general_way, 0);
}

/* What is not agreed to must not come back from the cookie either. */
static void encodes_no_option_that_is_turned_off(void **state)
{
	const struct tuple tuple = tuple_of(V4_LOCAL, V4_REMOTE);
	const uint32_t code = cookie_code(&tuple, 1460, NOL_COOKIE_NO_WSCALE, false);

	(void)state;
	cookie_enable(NOL_ANSWER_ALL);
	kern_cookie(kern)->offers = NOL_OFFER_TIMESTAMPS;
	assert_int_equal(answer_to(V4_REMOTE, &short_way).seq,
			 cookie_expected(&tuple, 1000, COOKIE_SLOT, code));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(advertises_what_the_route_to_the_remote_has),
		fixture_test(advertises_it_on_the_short_way),
		fixture_test(takes_the_longest_prefix),
		fixture_test(advertises_what_all_are_told_to_other_remotes),
		fixture_test(asks_no_route_unless_it_is_told_to),
		fixture_test(forgets_a_route_that_is_removed),
		fixture_test(declines_options_that_are_turned_off),
		fixture_test(encodes_no_option_that_is_turned_off),
	};

	if (!fixture_enter())
		return 0;
	return cmocka_run_group_tests_name("advertised", tests, NULL, NULL);
}
