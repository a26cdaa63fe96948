/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The Community ID: the specification's own results (its baseline folder), for seeds 0 and 1, in both directions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "community_id.h"

static void expect_id(const char *local, const char *remote, uint16_t seed, const char *expected)
{
	char id[COMMUNITY_ID_LEN + 1] = "";
	struct tuple tuple, turned;

	assert_true(endpoint_parse(local, &tuple.local));
	assert_true(endpoint_parse(remote, &tuple.remote));
	community_id(&tuple, seed, id);
	assert_string_equal(id, expected);
	turned = (struct tuple){tuple.remote, tuple.local};
	community_id(&turned, seed, id);
	assert_string_equal(id, expected);
}

static void ipv4_is_as_published(void **state)
{
	(void)state;
	expect_id("128.232.110.120:34855", "66.35.250.204:80", 0, "1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
	expect_id("128.232.110.120:34855", "66.35.250.204:80", 1, "1:3V71V58M3Ksw/yuFALMcW0LAHvc=");
}

static void ipv6_is_as_published(void **state)
{
	(void)state;
	expect_id("[2001:470:e5bf:dead:4957:2174:e82c:4887]:63943", "[2607:f8b0:400c:c03::1a]:25",
		  0, "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4=");
	expect_id("[2001:470:e5bf:dead:4957:2174:e82c:4887]:63943", "[2607:f8b0:400c:c03::1a]:25",
		  1, "1:eJYTW6AOzFLlSUoESovMjnu7rMw=");
}

/* The baseline has none: by its pseudo code, in another language. */
static void ports_decide_between_equal_addresses(void **state)
{
	(void)state;
	expect_id("127.0.0.1:80", "127.0.0.1:1234", 0, "1:CClrqgOo/86/YM8mzzGpJkw9tqQ=");
	/* The high byte counts first. */
	expect_id("127.0.0.1:256", "127.0.0.1:255", 0, "1:k9dyaUB53fS5TVWqB0UQnRgX9r8=");
}

static void another_seed_or_port_is_another_id(void **state)
{
	struct tuple tuple;
	char id[COMMUNITY_ID_LEN], other[COMMUNITY_ID_LEN];

	(void)state;
	assert_true(endpoint_parse("10.0.0.2:80", &tuple.local));
	assert_true(endpoint_parse("10.0.0.1:1024", &tuple.remote));
	community_id(&tuple, 0, id);
	community_id(&tuple, 0x100, other);
	assert_memory_not_equal(id, other, sizeof(id));
	tuple.remote.port++;
	community_id(&tuple, 0, other);
	assert_memory_not_equal(id, other, sizeof(id));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ipv4_is_as_published),
		cmocka_unit_test(ipv6_is_as_published),
		cmocka_unit_test(ports_decide_between_equal_addresses),
		cmocka_unit_test(another_seed_or_port_is_another_id),
	};

	return cmocka_run_group_tests_name("community_id", tests, NULL, NULL);
}
