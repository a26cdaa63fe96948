/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where forward goes, and what it tells them there of who comes. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "unit/cmocka_setup.h"

#include "forward_spec.h"
#include "proxy_header.h"

static void expect_target(const struct target *target, const char *expected)
{
	char text[ENDPOINT_TEXT_SIZE];
	struct endpoint endpoint;

	target_endpoint(target, &endpoint);
	endpoint_format(&endpoint, text);
	assert_string_equal(text, expected);
}

static void targets_are_in_their_order(void **state)
{
	struct target_list list;
	const char *error;

	(void)state;
	assert_int_equal(
		forward_spec_resolve("10.0.0.3:80,[fd00::3]:8080,10.0.0.4:1", &list, &error), 0);
	assert_int_equal(list.count, 3);
	expect_target(&list.all[0], "10.0.0.3:80");
	expect_target(&list.all[1], "[fd00::3]:8080");
	expect_target(&list.all[2], "10.0.0.4:1");
}

static void a_link_local_target_has_its_interface(void **state)
{
	struct target_list list;
	const char *error;

	(void)state;
	assert_int_equal(forward_spec_resolve("[fe80::1%lo]:80", &list, &error), 0);
	assert_int_equal(list.count, 1);
	assert_int_equal(((struct sockaddr_in6 *)&list.all[0].sockaddr)->sin6_scope_id, 1);
}

static void malformed_targets_are_refused(void **state)
{
	static const char *const specs[] = {
		"80",	 "a",	   ":80",	 "a:",	       "a:0",	      "a:65536",
		"a:80x", "a:http", "fd00::3:80", "[fd00::3]",  "[fd00::3]80", "[fd00::3:80",
		"[]:80", "a:80,",  ",a:80",	 "a:80,,b:80",
	};
	const char *error;

	(void)state;
	for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
		error = NULL;
		assert_int_equal(forward_spec_check(specs[i], &error), -EINVAL);
		assert_non_null(error);
	}
	/* Whether there is such a host is seen later. */
	assert_int_equal(forward_spec_check("no.such.host.invalid:80", &error), 0);
}

static void as_many_targets_as_there_is_room_for(void **state)
{
	char spec[(FORWARD_TARGETS_MAX + 1) * 16] = "";
	struct target_list list;
	const char *error;

	(void)state;
	for (int i = 0; i < FORWARD_TARGETS_MAX; i++)
		sprintf(spec + strlen(spec), "%s10.0.0.3:%d", i ? "," : "", i + 1);
	assert_int_equal(forward_spec_resolve(spec, &list, &error), 0);
	assert_int_equal(list.count, FORWARD_TARGETS_MAX);
	strcat(spec, ",10.0.0.3:99");
	assert_int_equal(forward_spec_check(spec, &error), -EINVAL);
}

static void who_is_not_known_is_named(void **state)
{
	struct target_list list;
	const char *error = "";

	(void)state;
	assert_int_equal(forward_spec_resolve("10.0.0.3:80,300.0.0.1:80", &list, &error), -EINVAL);
	assert_non_null(strstr(error, "300.0.0.1: "));
}

static struct tuple tuple_of(const char *local, const char *remote)
{
	struct tuple tuple;

	assert_true(endpoint_parse(local, &tuple.local));
	assert_true(endpoint_parse(remote, &tuple.remote));
	return tuple;
}

/* clang-format off */
static const uint8_t header_v4[] = {
	0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a, /* signature */
	0x21, /* version 2, PROXY */
	0x11, /* TCP over IPv4 */
	0x00, 0x0c, /* 12 bytes follow */
	0x0a, 0x00, 0x00, 0x01, /* source 10.0.0.1 */
	0x0a, 0x00, 0x00, 0x02, /* destination 10.0.0.2 */
	0xc6, 0x7e, /* source port 50814 */
	0x00, 0x50, /* destination port 80 */
};

static const uint8_t header_v6[] = {
	0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a,
	0x21,
	0x21, /* TCP over IPv6 */
	0x00, 0x24, /* 36 bytes follow */
	0xfd, 0x00, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01, /* source fd00::1 */
	0xfd, 0x00, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, /* destination fd00::2 */
	0xc6, 0x7e,
	0x00, 0x50,
};
/* clang-format on */

static void the_header_of_ipv4_is_28_bytes(void **state)
{
	const struct tuple tuple = tuple_of("10.0.0.2:80", "10.0.0.1:50814");
	uint8_t header[PROXY_HEADER_MAX];

	(void)state;
	assert_int_equal(proxy_header_write(header, &tuple), sizeof(header_v4));
	assert_memory_equal(header, header_v4, sizeof(header_v4));
}

static void the_header_of_ipv6_is_52_bytes(void **state)
{
	const struct tuple tuple = tuple_of("[fd00::2]:80", "[fd00::1]:50814");
	uint8_t header[PROXY_HEADER_MAX];

	(void)state;
	assert_int_equal(proxy_header_write(header, &tuple), sizeof(header_v6));
	assert_memory_equal(header, header_v6, sizeof(header_v6));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(targets_are_in_their_order),
		cmocka_unit_test(a_link_local_target_has_its_interface),
		cmocka_unit_test(malformed_targets_are_refused),
		cmocka_unit_test(as_many_targets_as_there_is_room_for),
		cmocka_unit_test(who_is_not_known_is_named),
		cmocka_unit_test(the_header_of_ipv4_is_28_bytes),
		cmocka_unit_test(the_header_of_ipv6_is_52_bytes),
	};

	return cmocka_run_group_tests_name("forward, targets", tests, NULL, NULL);
}
