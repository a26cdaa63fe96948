/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a SYN-ACK advertises, beside what a kernel listener sent (Linux 6.18, veth) with these sysctls and metrics; what
 * tcp_adv_win_scale does was seen on 6.1.
 */
#include "unit/cmocka_setup.h"

#include "advertise.h"

#define SYSCTLS                                                                         \
	{                                                                               \
		.rmem_default = 131072, .rmem_max = 33554432, .core_rmem_max = 4194304, \
		.scaling_ratio = 128, .min_adv_mss_v4 = 256, .min_adv_mss_v6 = 1220,    \
	}

static struct advertise_host host;

static int setup(void **state)
{
	(void)state;
	host = (struct advertise_host){.mtu = 1500, .sysctls = SYSCTLS};
	return 0;
}

struct expected {
	uint16_t mss, window, window_ts;
	uint8_t wscale;
};

static void expect_one(const struct route_metrics *metrics, bool is_v4, struct expected expected)
{
	const struct nol_advertised found = advertise(&host, metrics, is_v4);

	assert_int_equal(found.mss, expected.mss);
	assert_int_equal(found.window[0], expected.window);
	assert_int_equal(found.window[1], expected.window_ts);
	assert_int_equal(found.wscale, expected.wscale);
}

static void expect(struct route_metrics metrics, struct expected v4, struct expected v6)
{
	expect_one(&metrics, true, v4);
	expect_one(&metrics, false, v6);
}

#define METRICS(...) ((struct route_metrics){__VA_ARGS__})
#define IS(mss, window, window_ts, wscale) ((struct expected){mss, window, window_ts, wscale})

static void advertises_whole_segments_of_half_the_buffer(void **state)
{
	(void)state;
	expect(METRICS(0), IS(1460, 64240, 65160, 10), IS(1440, 64800, 64260, 10));
}

static void follows_tcp_rmem(void **state)
{
	static const struct {
		uint32_t rmem_default, rmem_max;
		struct expected v4, v6;
	} cases[] = {
		{262144, 33554432, {1460, 65535, 65535, 10}, {1440, 65535, 65535, 10}},
		{131073, 33554432, {1460, 64240, 65160, 10}, {1440, 64800, 64260, 10}},
		{133120, 6291456, {1460, 65535, 65160, 7}, {1440, 65535, 65535, 7}},
		{200000, 6291456, {1460, 65535, 65535, 7}, {1440, 65535, 65535, 7}},
		{40000, 33554432, {1460, 18980, 18824, 10}, {1440, 18720, 19992, 10}},
		{2920, 6291456, {1460, 1460, 1448, 7}, {1440, 1440, 1428, 7}},
		{2000, 6291456, {1460, 1000, 1000, 7}, {1440, 1000, 1000, 7}},
		{87380, 100000, {1460, 42340, 43440, 7}, {1440, 43200, 42840, 7}},
		{16777216, 4096, {1460, 65535, 65535, 7}, {1440, 65535, 65535, 7}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		host.sysctls.rmem_default = cases[i].rmem_default;
		host.sysctls.rmem_max = cases[i].rmem_max;
		expect(METRICS(0), cases[i].v4, cases[i].v6);
	}
}

static void follows_the_largest_of_all_receive_buffers(void **state)
{
	(void)state;
	host.sysctls.rmem_max = host.sysctls.core_rmem_max = 65535;
	host.sysctls.rmem_default = 65536;
	expect(METRICS(0), IS(1460, 32120, 31856, 0), IS(1440, 31680, 31416, 0));
	host.sysctls.core_rmem_max = 65536;
	expect(METRICS(0), IS(1460, 32120, 31856, 1), IS(1440, 31680, 31416, 1));
	host.sysctls.core_rmem_max = INT32_MAX;
	expect(METRICS(0), IS(1460, 32120, 31856, 14), IS(1440, 31680, 31416, 14));
}

static void takes_half_of_the_buffer_for_data_or_what_tcp_adv_win_scale_says(void **state)
{
	(void)state;
	host.sysctls.rmem_default = 60000;
	host.sysctls.scaling_ratio = 0;
	host.sysctls.adv_win_scale = 2; /* three quarters */
	expect(METRICS(0), IS(1460, 43800, 44888, 10), IS(1440, 44640, 44268, 10));
	host.sysctls.adv_win_scale = -2; /* one quarter */
	expect(METRICS(0), IS(1460, 14600, 14480, 10), IS(1440, 14400, 14280, 10));
	host.sysctls.adv_win_scale = 0; /* all of it */
	expect(METRICS(0), IS(1460, 59860, 59368, 10), IS(1440, 59040, 59976, 10));
	host.sysctls.scaling_ratio = 65; /* 15234 bytes */
	expect(METRICS(0), IS(1460, 14600, 14480, 10), IS(1440, 14400, 14280, 10));
}

static void stays_below_the_sign_bit_where_it_is_to(void **state)
{
	(void)state;
	host.sysctls.signed_windows = 1;
	expect(METRICS(0), IS(1460, 32767, 32767, 10), IS(1440, 32767, 32767, 10));
	expect(METRICS(.initrwnd = 100), IS(1460, 32767, 32767, 10), IS(1440, 32767, 32767, 10));
}

static void follows_the_mtu_of_a_route(void **state)
{
	(void)state;
	expect(METRICS(.mtu = 1200), IS(1160, 64960, 65436, 10), IS(1220, 64660, 65232, 10));
	expect(METRICS(.mtu = 9000), IS(8960, 62720, 62636, 10), IS(8940, 62580, 62496, 10));
	expect(METRICS(.mtu = 100), IS(256, 65535, 65392, 10), IS(1220, 64660, 65232, 10));
	expect(METRICS(.mtu = 1280), IS(1240, 64480, 65084, 10), IS(1220, 64660, 65232, 10));
}

static void follows_advmss(void **state)
{
	(void)state;
	expect(METRICS(.advmss = 800), IS(800, 64800, 65404, 10), IS(800, 64800, 65404, 10));
	expect(METRICS(.advmss = 9000), IS(9000, 63000, 62916, 10), IS(9000, 63000, 62916, 10));
	expect(METRICS(.advmss = 10), IS(10, 65530, 65535, 10), IS(10, 65530, 65535, 10));
	expect(METRICS(.advmss = 65000), IS(65000, 65000, 64988, 10), IS(65000, 65000, 64988, 10));
	expect(METRICS(.mtu = 1400, .advmss = 1000), IS(1000, 65000, 65208, 10),
	       IS(1000, 65000, 65208, 10));
}

/* As an MSS with timestamps it would leave nothing, by which Linux would divide. */
static void survives_an_advmss_that_timestamps_use_up(void **state)
{
	(void)state;
	expect(METRICS(.advmss = 12), IS(12, 65532, 65535, 10), IS(12, 65532, 65535, 10));
}

static void follows_the_window_of_a_route(void **state)
{
	(void)state;
	expect(METRICS(.window = 20000), IS(1460, 18980, 18824, 0), IS(1440, 18720, 19992, 0));
	expect(METRICS(.window = 100), IS(1460, 100, 100, 0), IS(1440, 100, 100, 0));
	expect(METRICS(.window = 65535), IS(1460, 64240, 65160, 0), IS(1440, 64800, 64260, 0));
	expect(METRICS(.window = 65536), IS(1460, 64240, 65160, 1), IS(1440, 64800, 64260, 1));
	expect(METRICS(.window = 100000), IS(1460, 64240, 65160, 1), IS(1440, 64800, 64260, 1));
	expect(METRICS(.window = 1000000), IS(1460, 64240, 65160, 4), IS(1440, 64800, 64260, 4));
}

static void follows_initrwnd(void **state)
{
	(void)state;
	expect(METRICS(.initrwnd = 1), IS(1460, 1460, 1448, 10), IS(1440, 1440, 1428, 10));
	expect(METRICS(.initrwnd = 10), IS(1460, 14600, 14480, 10), IS(1440, 14400, 14280, 10));
	/* Never more than without it. */
	expect(METRICS(.initrwnd = 60), IS(1460, 64240, 65160, 10), IS(1440, 64800, 64260, 10));
	expect(METRICS(.initrwnd = 60, .advmss = 1000), IS(1000, 60000, 59280, 10),
	       IS(1000, 60000, 59280, 10));
	expect(METRICS(.window = 20000, .initrwnd = 100), IS(1460, 18980, 18824, 0),
	       IS(1440, 18720, 19992, 0));
	expect(METRICS(.mtu = 1200, .window = 20000, .initrwnd = 10), IS(1160, 11600, 11480, 0),
	       IS(1220, 12200, 12080, 0));
}

static void follows_the_mtu_of_the_interface(void **state)
{
	(void)state;
	host.mtu = 9000;
	expect(METRICS(0), IS(8960, 62720, 62636, 10), IS(8940, 62580, 62496, 10));
	host.mtu = 600;
	expect_one(&METRICS(0), true, IS(560, 65520, 65212, 10));
	host.mtu = 300;
	expect_one(&METRICS(0), true, IS(260, 65520, 65472, 10));
	host.mtu = 100;
	expect_one(&METRICS(0), true, IS(256, 65535, 65392, 10));
	host.mtu = 65536;
	expect(METRICS(0), IS(65495, 65495, 65483, 10), IS(65476, 65476, 65464, 10));
}

static void follows_an_mtu_that_ipv6_alone_has(void **state)
{
	(void)state;
	host.sysctls.mtu_v6 = 1300;
	expect(METRICS(0), IS(1460, 64240, 65160, 10), IS(1240, 64480, 65084, 10));
}

static void follows_min_adv_mss(void **state)
{
	(void)state;
	host.sysctls.min_adv_mss_v4 = 1000;
	host.sysctls.min_adv_mss_v6 = 1400;
	host.sysctls.mtu_v6 = 1300;
	expect(METRICS(0), IS(1460, 64240, 65160, 10), IS(1400, 64400, 65236, 10));
	expect(METRICS(.mtu = 600), IS(1000, 65000, 65208, 10), IS(1400, 64400, 65236, 10));
}

static uint16_t path_mss(struct route_metrics metrics, bool is_v4)
{
	return advertise(&host, &metrics, is_v4).path_mss;
}

/* What the remote can take is another thing than what we ask for. */
static void cuts_the_mss_of_the_remote_to_the_mtu(void **state)
{
	(void)state;
	assert_int_equal(path_mss(METRICS(.advmss = 800), true), 1460);
	assert_int_equal(path_mss(METRICS(.mtu = 1200), true), 1160);
	assert_int_equal(path_mss(METRICS(.mtu = 1300), false), 1240);
	host.mtu = 65536;
	assert_int_equal(path_mss(METRICS(0), true), 65495);
	assert_int_equal(path_mss(METRICS(0), false), 65475);
}

/* 72 less 60 would leave 12, which timestamps use up; 0 is what lo can be set to. */
static void leaves_room_for_data_on_any_mtu(void **state)
{
	(void)state;
	host.mtu = 72;
	assert_int_equal(path_mss(METRICS(0), false), 48);
	host.mtu = 0;
	assert_int_equal(path_mss(METRICS(0), false), 48);
	assert_int_equal(path_mss(METRICS(0), true), 48);
}

static void agrees_to_what_is_not_turned_off(void **state)
{
	struct tcp_sysctls sysctls = {.timestamps = 2, .sack = 1, .window_scaling = 1};

	(void)state;
	assert_int_equal(advertise_offers(&sysctls), ADVERTISE_OFFERS);
	sysctls.sack = 0;
	assert_int_equal(advertise_offers(&sysctls), NOL_OFFER_WSCALE | NOL_OFFER_TIMESTAMPS);
	sysctls.timestamps = 0;
	assert_int_equal(advertise_offers(&sysctls), NOL_OFFER_WSCALE);
	sysctls.window_scaling = 0;
	assert_int_equal(advertise_offers(&sysctls), 0);
	sysctls.ecn = 2;
	assert_int_equal(advertise_offers(&sysctls), NOL_OFFER_ECN);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(advertises_whole_segments_of_half_the_buffer),
		TEST(follows_tcp_rmem),
		TEST(follows_the_largest_of_all_receive_buffers),
		TEST(takes_half_of_the_buffer_for_data_or_what_tcp_adv_win_scale_says),
		TEST(stays_below_the_sign_bit_where_it_is_to),
		TEST(follows_the_mtu_of_a_route),
		TEST(follows_advmss),
		TEST(survives_an_advmss_that_timestamps_use_up),
		TEST(follows_the_window_of_a_route),
		TEST(follows_initrwnd),
		TEST(follows_the_mtu_of_the_interface),
		TEST(follows_an_mtu_that_ipv6_alone_has),
		TEST(follows_min_adv_mss),
		TEST(cuts_the_mss_of_the_remote_to_the_mtu),
		TEST(leaves_room_for_data_on_any_mtu),
		TEST(agrees_to_what_is_not_turned_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
