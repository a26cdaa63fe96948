/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "addr.h"

#include <arpa/inet.h>
#include <string.h>

#include "cmocka_setup.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct addr address(const char *text)
{
	struct addr addr;

	assert_true(addr_parse(text, &addr));
	return addr;
}

static struct prefix prefix(const char *text)
{
	struct prefix out;

	assert_true(prefix_parse(text, &out));
	return out;
}

static void keeps_ipv4_as_v4_mapped(void **state)
{
	static const uint8_t mapped[16] = {[10] = 0xff, 0xff, 10, 0, 0, 2};
	struct addr addr = address("10.0.0.2");

	(void)state;
	assert_memory_equal(addr.bytes, mapped, 16);
	assert_true(addr_is_v4(&addr));
	addr = address("::ffff:10.0.0.2");
	assert_memory_equal(addr.bytes, mapped, 16);
	addr = address("fd00::2");
	assert_false(addr_is_v4(&addr));
}

static void formats_what_it_parses(void **state)
{
	static const char *const texts[] = {
		"10.0.0.2", "255.255.255.255",	   "0.0.0.0", "::", "::1",
		"fd00::2",  "2001:db8:1:2:3:4:5:6"};
	char text[ADDR_TEXT_SIZE];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(texts); i++) {
		struct addr addr = address(texts[i]);

		addr_format(&addr, text);
		assert_string_equal(text, texts[i]);
	}
}

static void refuses_what_is_no_address(void **state)
{
	static const char *const wrong[] = {"",		 "10.0.0",     "10.0.0.256", "10.0.0.1 ",
					    "10.0.0.01", "fe80::1%lo", "[::1]",	     "1::2::3",
					    "localhost", "10.0.0.1/8"};
	struct addr addr;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(wrong); i++)
		assert_false(addr_parse(wrong[i], &addr));
}

static void tells_the_kinds_of_addresses_apart(void **state)
{
	static const struct {
		const char *text;
		bool is_loopback, is_multicast, is_link_local, is_unspecified, is_valid_source;
		bool is_nobody; /* not addr_is_one_host() */
	} cases[] = {
		{"127.0.0.1", .is_loopback = true},
		{"127.255.0.1", .is_loopback = true},
		{"::1", .is_loopback = true},
		{"224.0.0.1", .is_multicast = true, .is_nobody = true},
		{"239.255.255.255", .is_multicast = true, .is_nobody = true},
		{"ff02::1", .is_multicast = true, .is_nobody = true},
		{"169.254.1.1", .is_link_local = true, .is_valid_source = true},
		{"fe80::1", .is_link_local = true, .is_valid_source = true},
		{"febf::1", .is_link_local = true, .is_valid_source = true},
		{"fec0::1", .is_valid_source = true},
		{"0.0.0.0", .is_unspecified = true, .is_nobody = true},
		{"::", .is_unspecified = true, .is_nobody = true},
		{"0.1.2.3"},
		{"240.0.0.1"},
		{"255.255.255.255", .is_nobody = true},
		{"255.255.255.254"},
		{"ffff:ffff::255.255.255.255", .is_multicast = true, .is_nobody = true},
		{"10.0.0.1", .is_valid_source = true},
		{"223.255.255.255", .is_valid_source = true},
		{"2001:db8::1", .is_valid_source = true},
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		struct addr addr = address(cases[i].text);

		assert_int_equal(addr_is_loopback(&addr), cases[i].is_loopback);
		assert_int_equal(addr_is_multicast(&addr), cases[i].is_multicast);
		assert_int_equal(addr_is_link_local(&addr), cases[i].is_link_local);
		assert_int_equal(addr_is_unspecified(&addr), cases[i].is_unspecified);
		assert_int_equal(addr_is_valid_source(&addr), cases[i].is_valid_source);
		assert_int_equal(addr_is_one_host(&addr), !cases[i].is_nobody);
	}
}

static void endpoints_have_brackets_for_ipv6_only(void **state)
{
	static const char *const right[] = {"10.0.0.2:80", "[fe80::1]:80", "[::]:65535",
					    "255.255.255.255:1"};
	static const char *const wrong[] = {"10.0.0.2",	      "10.0.0.2:",   "10.0.0.2:0",
					    "10.0.0.2:65536", "10.0.0.2:8x", "::1:80",
					    "[10.0.0.2]:80",  "[::1]",	     "[::1:80",
					    "[]:80",	      ":80",	     "",
					    "[::1]x:80",      "[::1]80"};
	char text[ENDPOINT_TEXT_SIZE];
	struct endpoint endpoint;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(right); i++) {
		assert_true(endpoint_parse(right[i], &endpoint));
		endpoint_format(&endpoint, text);
		assert_string_equal(text, right[i]);
	}
	for (i = 0; i < COUNT(wrong); i++)
		assert_false(endpoint_parse(wrong[i], &endpoint));
}

static void endpoints_survive_the_way_through_a_sockaddr(void **state)
{
	static const char *const texts[] = {"10.0.0.2:80", "[fd00::2]:443", "[fe80::1]:1"};
	struct endpoint before, after;
	struct sockaddr_storage storage;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(texts); i++) {
		assert_true(endpoint_parse(texts[i], &before));
		endpoint_to_sockaddr(&before, 3, &storage);
		assert_true(endpoint_from_sockaddr((struct sockaddr *)&storage, &after));
		assert_true(addr_is_equal(&before.addr, &after.addr));
		assert_int_equal(before.port, after.port);
	}
	storage.ss_family = AF_UNIX;
	assert_false(endpoint_from_sockaddr((struct sockaddr *)&storage, &after));
}

static void only_link_local_endpoints_get_a_scope(void **state)
{
	struct endpoint endpoint;
	struct sockaddr_storage storage;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&storage;

	(void)state;
	assert_true(endpoint_parse("[fe80::1]:80", &endpoint));
	assert_int_equal(endpoint_to_sockaddr(&endpoint, 3, &storage), sizeof(*in6));
	assert_int_equal(in6->sin6_scope_id, 3);
	assert_int_equal(in6->sin6_port, htons(80));
	assert_true(endpoint_parse("[fd00::1]:80", &endpoint));
	endpoint_to_sockaddr(&endpoint, 3, &storage);
	assert_int_equal(in6->sin6_scope_id, 0);
	assert_true(endpoint_parse("10.0.0.1:80", &endpoint));
	assert_int_equal(endpoint_to_sockaddr(&endpoint, 3, &storage), sizeof(struct sockaddr_in));
}

static void a_tuple_differs_in_any_of_its_four_parts(void **state)
{
	struct tuple a = {.local = {address("10.0.0.2"), 80},
			  .remote = {address("10.0.0.1"), 5000}};
	struct tuple b = a;

	(void)state;
	assert_true(tuple_is_equal(&a, &b));
	b.local.port = 81;
	assert_false(tuple_is_equal(&a, &b));
	b = a;
	b.remote.port = 5001;
	assert_false(tuple_is_equal(&a, &b));
	b = a;
	b.local.addr.bytes[15]++;
	assert_false(tuple_is_equal(&a, &b));
	b = a;
	b.remote.addr.bytes[15]++;
	assert_false(tuple_is_equal(&a, &b));
}

static void parses_and_formats_prefixes(void **state)
{
	static const struct {
		const char *in, *out;
		unsigned int bits;
	} cases[] = {
		{"10.0.0.0/8", "10.0.0.0/8", 104},
		{"10.0.0.2", "10.0.0.2/32", 128},
		{"0.0.0.0/0", "0.0.0.0/0", 96},
		{"10.0.0.128/25", "10.0.0.128/25", 121},
		{"fd00::/64", "fd00::/64", 64},
		{"fd00::1", "fd00::1/128", 128},
		{"::/0", "::/0", 0},
	};
	char text[ADDR_TEXT_SIZE + 4];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		struct prefix parsed = prefix(cases[i].in);

		assert_int_equal(parsed.bits, cases[i].bits);
		prefix_format(&parsed, text);
		assert_string_equal(text, cases[i].out);
	}
}

static void refuses_prefixes_with_host_bits_or_a_wrong_length(void **state)
{
	static const char *const wrong[] = {
		"10.0.0.1/8",  "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1",
		"10.0.0.0/8x", "10.0.0.0/8/", "/8",	   "",
		"fd00::1/64",  "fd00::/129",  "fd00::/",   "10.0.0.129/25"};
	struct prefix out = {.bits = 7};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(wrong); i++)
		assert_false(prefix_parse(wrong[i], &out));
	assert_int_equal(out.bits, 7);
}

static void a_prefix_contains_its_addresses_and_no_others(void **state)
{
	static const struct {
		const char *prefix, *addr;
		bool is_inside;
	} cases[] = {
		{"10.0.0.128/25", "10.0.0.128", true},	{"10.0.0.128/25", "10.0.0.255", true},
		{"10.0.0.128/25", "10.0.0.127", false}, {"10.0.0.2", "10.0.0.2", true},
		{"10.0.0.2", "10.0.0.3", false},	{"0.0.0.0/0", "192.0.2.1", true},
		{"0.0.0.0/0", "fd00::1", false},	{"fd00::/64", "fd00::ffff", true},
		{"fd00::/64", "fd00:0:0:1::", false},	{"::/0", "fd00::1", true},
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		struct prefix around = prefix(cases[i].prefix);
		struct addr addr = address(cases[i].addr);

		assert_int_equal(prefix_contains(&around, &addr), cases[i].is_inside);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_ipv4_as_v4_mapped),
		cmocka_unit_test(formats_what_it_parses),
		cmocka_unit_test(refuses_what_is_no_address),
		cmocka_unit_test(tells_the_kinds_of_addresses_apart),
		cmocka_unit_test(endpoints_have_brackets_for_ipv6_only),
		cmocka_unit_test(endpoints_survive_the_way_through_a_sockaddr),
		cmocka_unit_test(only_link_local_endpoints_get_a_scope),
		cmocka_unit_test(a_tuple_differs_in_any_of_its_four_parts),
		cmocka_unit_test(parses_and_formats_prefixes),
		cmocka_unit_test(refuses_prefixes_with_host_bits_or_a_wrong_length),
		cmocka_unit_test(a_prefix_contains_its_addresses_and_no_others),
	};

	return cmocka_run_group_tests_name("addr", tests, NULL, NULL);
}
