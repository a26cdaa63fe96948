/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Options through a SYN-ACK: what comes back of them on the wire, and in the cookie. */
#include "answer_fixture.h"

#include "ip.h"

/* Every set of options, in each of which a cookie carries them all. */
static void answers_each_set_of_options(void **state)
{
	(void)state;
	cookie_enable(NOL_ANSWER_PLAIN);
	for (unsigned int set = 0; set < 16; set++) {
		const struct tcp_options offered = {
			.has_mss = set & 1,
			.mss = 1400,
			.has_sack_permitted = set & 2,
			.has_timestamps = set & 4,
			.tsval = 5,
			.has_wscale = set & 8,
			.wscale = 3,
		};
		struct segment syn = syn_with(V4_LOCAL, V4_REMOTE, offered);
		struct sent sent = answer_to(&syn);

		assert_answer(&syn, &sent, answer_with_all(&offered, COOKIE_MSS_V4),
			      offered.has_mss ? 1400 : 536);
	}
}

static void answers_each_window_scale(void **state)
{
	struct tcp_options offered = linux_options;

	(void)state;
	cookie_enable(NOL_ANSWER_PLAIN);
	for (offered.wscale = 0; offered.wscale <= 14; offered.wscale++) {
		struct segment syn = syn_with(V4_LOCAL, V4_REMOTE, offered);
		struct sent sent = answer_to(&syn);

		assert_answer(&syn, &sent, answer_with_all(&offered, COOKIE_MSS_V4), 1460);
	}
}

/* Rounded down to a class, but not cut at less than our own. */
static void answers_each_mss_by_its_class(void **state)
{
	static const struct {
		uint16_t offered, mss;
	} cases[] = {{536, 536},   {564, 536},	 {565, 565},   {700, 694},   {1219, 1159},
		     {1220, 1220}, {1379, 1360}, {1380, 1380}, {1452, 1452}, {1459, 1452},
		     {1460, 1460}, {1461, 1460}, {8960, 1460}, {65535, 1460}};

	(void)state;
	cookie_enable(NOL_ANSWER_PLAIN);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tcp_options offered = linux_options;
		struct segment syn;
		struct sent sent;

		offered.mss = cases[i].offered;
		syn = syn_with(V4_LOCAL, V4_REMOTE, offered);
		sent = answer_to(&syn);
		assert_answer(&syn, &sent, answer_with_all(&offered, COOKIE_MSS_V4), cases[i].mss);
	}
}

/* MSS 1460, NOP, window scale 6, NOP, NOP, timestamps 9, SACK-permitted, end: as macOS and iOS send it. */
static const uint8_t apple_options[24] = {2, 4, 0x05, 0xb4, 1, 3, 3, 6, 1, 1, 8, 10,
					  0, 0, 0,    9,    0, 0, 0, 0, 4, 2, 0, 0};

static void build_apple(struct frame *frame)
{
	struct segment syn = syn_with(V4_LOCAL, V4_REMOTE, (struct tcp_options){0});

	frame_build(frame, &syn);
	frame_insert(frame, frame->len, apple_options, sizeof(apple_options));
	frame->bytes[FIXTURE_ETHERNET + 32] = 11 << 4;
	ip_seal(frame->bytes + FIXTURE_ETHERNET, 20, frame->len - FIXTURE_ETHERNET);
}

static void answers_options_in_any_order(void **state)
{
	struct segment syn = syn_with(V4_LOCAL, V4_REMOTE, (struct tcp_options){0});
	struct tcp_options answered = linux_options;
	struct frame frame;
	struct sent sent;

	(void)state;
	cookie_enable(NOL_ANSWER_PLAIN);
	build_apple(&frame);
	assert_int_equal(run_answer(&frame, &sent), XDP_TX);
	answered.tsecr = 9;
	answered.wscale = COOKIE_WSCALE;
	syn.options = linux_options;
	syn.options.wscale = 6;
	assert_answer(&syn, &sent, answered, 1460);
}

/* As Linux does; the engine does so too. */
static void skips_an_mss_of_zero(void **state)
{
	static const uint8_t twice[] = {2, 4, 1000 >> 8, 1000 & 0xff, 2, 4, 0, 0};
	struct segment syn = syn_with(V4_LOCAL, V4_REMOTE, (struct tcp_options){0});
	struct frame frame;
	struct sent sent;

	(void)state;
	cookie_enable(NOL_ANSWER_PLAIN);
	frame_build(&frame, &syn);
	frame_insert(&frame, frame.len, twice, sizeof(twice));
	frame.bytes[FIXTURE_ETHERNET + 32] = 7 << 4;
	ip_seal(frame.bytes + FIXTURE_ETHERNET, 20, frame.len - FIXTURE_ETHERNET);
	assert_int_equal(run_answer(&frame, &sent), XDP_TX);
	assert_answer(&syn, &sent, (struct tcp_options){.has_mss = true, .mss = COOKIE_MSS_V4},
		      1000);
}

/* With ECN as with everything else: what is agreed to is in the code. */
static void agrees_to_ecn_where_it_may(void **state)
{
	struct segment syn = syn_with(V4_LOCAL, V4_REMOTE, linux_options);
	struct tuple tuple = {.local = syn.tuple.remote, .remote = syn.tuple.local};
	const uint32_t code = code_of(&tuple, &linux_options, 1460);
	static const uint8_t setups[] = {TCP_ECE | TCP_CWR, TCP_ECE, TCP_CWR, 0};

	(void)state;
	cookie_enable_ecn(NOL_ANSWER_PLAIN);
	for (size_t i = 0; i < sizeof(setups); i++) {
		struct sent sent;

		syn.flags = TCP_SYN | setups[i];
		sent = answer_to(&syn);
		assert_int_equal(parse_sent(&sent).flags, TCP_SYN | TCP_ACK | (i ? 0 : TCP_ECE));
		assert_answer_with(&syn, &sent, answer_with_all(&linux_options, COOKIE_MSS_V4),
				   code * 2 + !i);
	}
}

/* With an option of Linux or without: on the short way and on the general one. */
static uint8_t flags_of_answer(const struct tcp_options *options, const char *local,
			       const char *remote)
{
	struct segment syn = syn_with(local, remote, *options);
	struct sent sent;

	syn.flags = TCP_SYN | TCP_ECE | TCP_CWR;
	sent = answer_to(&syn);
	return parse_sent(&sent).flags;
}

static void expect_flags(uint8_t v4, uint8_t v6)
{
	static const struct tcp_options bare;

	assert_int_equal(flags_of_answer(&linux_options, V4_LOCAL, V4_REMOTE), v4);
	assert_int_equal(flags_of_answer(&bare, V4_LOCAL, V4_REMOTE), v4);
	assert_int_equal(flags_of_answer(&linux_options, V6_LOCAL, V6_REMOTE), v6);
	assert_int_equal(flags_of_answer(&bare, V6_LOCAL, V6_REMOTE), v6);
}

static void set_route(const char *text, bool has_ecn)
{
	const struct nol_advertised advertised = {.mss = 1000, .has_ecn = has_ecn};
	struct prefix prefix;

	assert_true(prefix_parse(text, &prefix));
	assert_int_equal(kern_set_route(kern, &prefix, &advertised), 0);
}

static void agrees_to_ecn_where_the_route_asks_for_it(void **state)
{
	(void)state;
	cookie_enable_ecn(NOL_ANSWER_PLAIN);
	kern_cookie(kern)->offers &= ~NOL_OFFER_ECN;
	set_route("10.0.0.0/24", true);
	set_route("fd00::/64", false);
	expect_flags(TCP_SYN | TCP_ACK, TCP_SYN | TCP_ACK); /* nobody looks there yet */
	kern_cookie(kern)->has_routes = 1;
	expect_flags(TCP_SYN | TCP_ACK | TCP_ECE, TCP_SYN | TCP_ACK);
	kern_cookie(kern)->offers |= NOL_OFFER_ECN;
	expect_flags(TCP_SYN | TCP_ACK | TCP_ECE, TCP_SYN | TCP_ACK | TCP_ECE);
	kern_cookie(kern)->has_ecn = 0;
	expect_flags(TCP_SYN | TCP_ACK, TCP_SYN | TCP_ACK);
}

/* On all CPUs: how many TSvals of the present windows were by the exact clock. */
static unsigned int count_exact(void)
{
	const size_t cpus = (size_t)libbpf_num_possible_cpus();
	struct nol_clock *clocks = calloc(cpus, sizeof(*clocks));
	const __u32 first = 0;
	unsigned int sum = 0;

	assert_non_null(clocks);
	assert_int_equal(
		bpf_map_lookup_elem(bpf_map__fd(kern->skel->maps.nol_clock), &first, clocks), 0);
	for (size_t i = 0; i < cpus; i++)
		sum += clocks[i].taken;
	free(clocks);
	return sum;
}

/* Of all CPUs. 0: they are over. */
static void set_windows(__u64 since_ns)
{
	const size_t cpus = (size_t)libbpf_num_possible_cpus();
	struct nol_clock *clocks = calloc(cpus, sizeof(*clocks));
	const __u32 first = 0;

	assert_non_null(clocks);
	for (size_t i = 0; i < cpus; i++)
		clocks[i] = (struct nol_clock){.since_ns = since_ns};
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(kern->skel->maps.nol_clock), &first,
					     clocks, BPF_ANY),
			 0);
	free(clocks);
}

/* No earlier than the SYN came and no later than its answer left; by the coarse clock a jiffy earlier (HZ is 100 at least). */
static void stamps_by_the_clock_in_milliseconds(void **state)
{
	struct segment syn = syn_with(V4_LOCAL, V4_REMOTE, linux_options);
	struct tuple tuple = {.local = syn.tuple.remote, .remote = syn.tuple.local};

	(void)state;
	cookie_enable(NOL_ANSWER_PLAIN);
	for (unsigned int is_exact = 0; is_exact <= 1; is_exact++) {
		const uint32_t offset = cookie_ts_offset(&tuple, ISN, COOKIE_SLOT);
		const uint32_t before_ms = cookie_now_ms() - (is_exact ? 0 : 10);
		struct sent sent;
		uint32_t sent_ms;

		kern_cookie(kern)->exact_in_window = is_exact;
		set_windows(0);
		sent = answer_to(&syn);
		sent_ms = parse_sent(&sent).options.tsval - offset;
		assert_in_range(sent_ms - before_ms, 0, cookie_now_ms() - before_ms);
		assert_int_equal(count_exact(), is_exact);
	}
}

/* In a window that lasts as long as the test, on one CPU. */
static void takes_the_exact_clock_so_many_times_a_window(void **state)
{
	struct segment syn = syn_with(V4_LOCAL, V4_REMOTE, linux_options);
	cpu_set_t before, one;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	cookie_enable(NOL_ANSWER_PLAIN);
	kern_cookie(kern)->exact_in_window = 3;
	set_windows(clock_monotonic_ns() + FIXTURE_LIFE_NS);
	for (unsigned int sent = 1; sent <= 5; sent++) {
		answer_to(&syn);
		assert_int_equal(count_exact(), sent < 3 ? sent : 3);
	}
	set_windows(0);
	answer_to(&syn);
	assert_int_equal(count_exact(), 1);
	assert_int_equal(sched_setaffinity(0, sizeof(before), &before), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(answers_each_set_of_options),
		fixture_test(answers_each_window_scale),
		fixture_test(answers_each_mss_by_its_class),
		fixture_test(answers_options_in_any_order),
		fixture_test(skips_an_mss_of_zero),
		fixture_test(agrees_to_ecn_where_it_may),
		fixture_test(agrees_to_ecn_where_the_route_asks_for_it),
		fixture_test(stamps_by_the_clock_in_milliseconds),
		fixture_test(takes_the_exact_clock_so_many_times_a_window),
	};

	if (!fixture_enter())
		return 0;
	return cmocka_run_group_tests_name("answer_options", tests, NULL, NULL);
}
