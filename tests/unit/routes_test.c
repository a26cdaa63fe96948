/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which of the host's routes counts for a remote, by the MSS that it is told; 0: what all others are. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "unit/cmocka_setup.h"

#include "routes.h"

#define LOCAL 0
#define MAIN 1
#define DEFAULT 2

static const struct advertise_host host = {
	.mtu = 1500,
	.sysctls = {.rmem_default = 131072,
		    .rmem_max = 6291456,
		    .scaling_ratio = 128,
		    .min_adv_mss_v4 = 256,
		    .min_adv_mss_v6 = 1220},
};

static struct {
	struct host_route all[16];
	size_t count;
	struct routes *routes;
} table;

static int setup(void **state)
{
	(void)state;
	memset(&table, 0, sizeof(table));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	routes_free(table.routes);
	return 0;
}

static void route(const char *prefix, uint8_t rank, uint32_t priority, uint32_t advmss)
{
	struct host_route *added = &table.all[table.count++];

	*added = (struct host_route){
		.rank = rank, .priority = priority, .metrics = {.advmss = advmss}};
	assert_true(prefix_parse(prefix, &added->prefix));
}

static void build(void)
{
	routes_free(table.routes);
	assert_int_equal(routes_new(&table.routes, &host, table.all, table.count), 0);
}

static unsigned int mss_to(const char *remote)
{
	const struct nol_advertised *found;
	struct addr addr;

	assert_true(addr_parse(remote, &addr));
	found = routes_find(table.routes, &addr);
	return found ? found->mss : 0;
}

static void expect_rows(size_t expected)
{
	size_t count;

	routes_all(table.routes, &count);
	assert_int_equal(count, expected);
}

static void has_no_rows_where_no_route_has_metrics(void **state)
{
	(void)state;
	route("0.0.0.0/0", MAIN, 0, 0);
	route("10.0.0.0/24", MAIN, 0, 0);
	route("::/0", MAIN, 1024, 0);
	build();
	assert_null(table.routes);
	assert_int_equal(mss_to("10.0.0.1"), 0);
	expect_rows(0);
}

/* ip route with the MTU that the interface has anyway. */
static void has_no_rows_for_metrics_that_say_what_all_are_told(void **state)
{
	(void)state;
	route("10.0.0.0/24", MAIN, 0, 1460);
	route("fd00::/64", MAIN, 256, 1440);
	build();
	assert_null(table.routes);
}

static void takes_the_longest_prefix(void **state)
{
	(void)state;
	route("0.0.0.0/0", MAIN, 0, 1000);
	route("10.0.0.0/8", MAIN, 0, 1001);
	route("10.1.2.3/32", MAIN, 0, 1002);
	route("10.1.0.0/17", MAIN, 0, 1003);
	route("fd00::/64", MAIN, 256, 1300);
	route("fd00::5/128", MAIN, 256, 1301);
	build();
	assert_int_equal(mss_to("10.1.2.3"), 1002);
	assert_int_equal(mss_to("10.1.2.4"), 1003);
	assert_int_equal(mss_to("10.1.127.255"), 1003);
	assert_int_equal(mss_to("10.1.128.0"), 1001);
	assert_int_equal(mss_to("11.0.0.1"), 1000);
	assert_int_equal(mss_to("fd00::5"), 1301);
	assert_int_equal(mss_to("fd00::6"), 1300);
	assert_int_equal(mss_to("fd01::5"), 0);
	expect_rows(6);
}

static void keeps_a_route_without_metrics_inside_of_one_that_has_some(void **state)
{
	(void)state;
	route("0.0.0.0/0", MAIN, 0, 1000);
	route("10.0.0.0/24", MAIN, 0, 0);
	route("10.0.0.7/32", MAIN, 0, 0);
	build();
	assert_int_equal(mss_to("11.0.0.1"), 1000);
	assert_int_equal(mss_to("10.0.0.1"), 1460);
	assert_int_equal(mss_to("10.0.0.7"), 1460);
	expect_rows(2);
}

static void takes_the_route_with_the_lowest_priority_of_several(void **state)
{
	(void)state;
	route("10.0.0.0/24", MAIN, 200, 800);
	route("10.0.0.0/24", MAIN, 100, 900);
	route("10.0.1.0/24", MAIN, 0, 0);
	route("10.0.1.0/24", MAIN, 1, 700);
	build();
	assert_int_equal(mss_to("10.0.0.1"), 900);
	assert_int_equal(mss_to("10.0.1.1"), 0);
}

static void looks_into_one_table_after_the_other(void **state)
{
	(void)state;
	route("10.9.0.0/16", LOCAL, 0, 900);
	route("10.9.1.0/24", MAIN, 0, 901);
	route("10.9.0.0/16", MAIN, 0, 902);
	route("10.8.0.0/16", MAIN, 0, 903);
	route("10.8.1.0/24", DEFAULT, 0, 904);
	route("10.7.0.0/16", DEFAULT, 0, 905);
	/* The second time from what the first has left. */
	for (unsigned int i = 0; i < 2; i++) {
		build();
		assert_int_equal(mss_to("10.9.1.1"), 900);
		assert_int_equal(mss_to("10.8.1.1"), 903);
		assert_int_equal(mss_to("10.7.1.1"), 905);
		expect_rows(3);
	}
}

static void finds_a_longer_route_of_an_earlier_table(void **state)
{
	(void)state;
	route("10.0.0.2/32", LOCAL, 0, 0);
	route("10.0.0.0/24", MAIN, 0, 900);
	build();
	assert_int_equal(mss_to("10.0.0.2"), 1460);
	assert_int_equal(mss_to("10.0.0.3"), 900);
}

/* In the kernel's trie, too, which has both families in one. */
static void keeps_ipv4_away_from_the_default_route_of_ipv6(void **state)
{
	struct prefix root;

	(void)state;
	route("::/0", MAIN, 1024, 1300);
	build();
	assert_int_equal(mss_to("2001:db8::1"), 1300);
	assert_int_equal(mss_to("10.0.0.1"), 1460);
	assert_true(prefix_parse("0.0.0.0/0", &root));
	assert_non_null(routes_row(table.routes, &root));
	expect_rows(2);
}

static void finds_the_row_of_a_prefix_alone(void **state)
{
	struct prefix prefix;

	(void)state;
	route("10.0.0.0/24", MAIN, 0, 900);
	build();
	assert_true(prefix_parse("10.0.0.0/24", &prefix));
	assert_int_equal(routes_row(table.routes, &prefix)->advertised.mss, 900);
	assert_true(prefix_parse("10.0.0.0/25", &prefix));
	assert_null(routes_row(table.routes, &prefix));
	assert_null(routes_row(NULL, &prefix));
}

static void refuses_more_rows_than_the_programs_have_room_for(void **state)
{
	struct host_route *all = calloc(ROUTES_MAX + 1, sizeof(*all));
	struct routes *routes = NULL;

	(void)state;
	assert_non_null(all);
	for (size_t i = 0; i <= ROUTES_MAX; i++) {
		uint8_t bytes[4] = {10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};

		all[i].prefix = (struct prefix){.addr = addr_from_v4(bytes), .bits = 128};
		all[i].metrics.advmss = 900;
	}
	assert_int_equal(routes_new(&routes, &host, all, ROUTES_MAX + 1), -E2BIG);
	assert_null(routes);
	assert_int_equal(routes_new(&routes, &host, all, ROUTES_MAX), 0);
	routes_free(routes);
	free(all);
}

static void a_route_may_ask_for_ecn_alone(void **state)
{
	struct addr addr;

	(void)state;
	route("10.0.0.0/24", 1, 0, 0);
	table.all[0].metrics.has_ecn = true;
	build();
	expect_rows(1);
	assert_true(addr_parse("10.0.0.1", &addr));
	assert_int_equal(routes_find(table.routes, &addr)->has_ecn, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(has_no_rows_where_no_route_has_metrics),
		TEST(has_no_rows_for_metrics_that_say_what_all_are_told),
		TEST(takes_the_longest_prefix),
		TEST(keeps_a_route_without_metrics_inside_of_one_that_has_some),
		TEST(takes_the_route_with_the_lowest_priority_of_several),
		TEST(looks_into_one_table_after_the_other),
		TEST(finds_a_longer_route_of_an_earlier_table),
		TEST(keeps_ipv4_away_from_the_default_route_of_ipv6),
		TEST(a_route_may_ask_for_ecn_alone),
		TEST(finds_the_row_of_a_prefix_alone),
		TEST(refuses_more_rows_than_the_programs_have_room_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
