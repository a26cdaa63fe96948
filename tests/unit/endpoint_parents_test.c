/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Listeners of an endpoint, as ingress has them. */
#include <errno.h>
#include <stdint.h>

#include "cmocka_setup.h"

#include "endpoint_parents.h"

static struct endpoint at(const char *text)
{
	struct endpoint endpoint;

	assert_true(endpoint_parse(text, &endpoint));
	return endpoint;
}

static int add(struct nol_endpoint *value, const char *text)
{
	const struct endpoint parent = at(text);

	return endpoint_add_parent(value, &parent);
}

static int find(const struct nol_endpoint *value, const char *text)
{
	const struct endpoint parent = at(text);

	return endpoint_find_parent(value, &parent);
}

static void has_both_families_side_by_side(void **state)
{
	struct nol_endpoint value = {0};
	struct endpoint there;

	(void)state;
	assert_int_equal(add(&value, "[100::1]:1000"), 0);
	assert_int_equal(add(&value, "192.0.0.8:1000"), 0);
	assert_int_equal(add(&value, "[100::1]:1001"), 0);
	assert_int_equal(value.count, 3);
	assert_int_equal(value.are_ipv4, 1 << 1);
	assert_int_equal(find(&value, "192.0.0.8:1000"), 1);
	assert_int_equal(find(&value, "[100::1]:1001"), 2);
	endpoint_parent_at(&value, 1, &there);
	assert_true(addr_is_v4(&there.addr));
	assert_int_equal(there.port, 1000);
}

static void has_each_but_once(void **state)
{
	struct nol_endpoint value = {0};

	(void)state;
	assert_int_equal(add(&value, "[100::1]:1000"), 0);
	assert_int_equal(add(&value, "[100::1]:1000"), 0);
	assert_int_equal(value.count, 1);
}

static void has_one_address_of_a_family(void **state)
{
	struct nol_endpoint value = {0};

	(void)state;
	assert_int_equal(add(&value, "[100::1]:1000"), 0);
	assert_int_equal(add(&value, "[100::2]:1000"), -EINVAL);
	assert_int_equal(add(&value, "192.0.0.8:1"), 0);
	assert_int_equal(add(&value, "192.0.0.9:1"), -EINVAL);
	assert_int_equal(value.count, 2);
	/* Once they have gone another one is as good. */
	endpoint_remove_parent(&value, find(&value, "[100::1]:1000"));
	assert_int_equal(add(&value, "[100::2]:1000"), 0);
	assert_int_equal(find(&value, "[100::1]:1000"), -ENOENT);
}

static void gives_the_last_one_the_place_of_one_that_goes(void **state)
{
	struct nol_endpoint value = {0};

	(void)state;
	add(&value, "[100::1]:1000");
	add(&value, "[100::1]:1001");
	add(&value, "192.0.0.8:1002");
	endpoint_remove_parent(&value, 0);
	assert_int_equal(value.count, 2);
	assert_int_equal(find(&value, "192.0.0.8:1002"), 0);
	assert_int_equal(find(&value, "[100::1]:1001"), 1);
	assert_int_equal(value.are_ipv4, 1);
	endpoint_remove_parent(&value, 0);
	assert_int_equal(value.are_ipv4, 0);
	endpoint_remove_parent(&value, 0);
	assert_int_equal(value.count, 0);
}

static void takes_as_many_as_there_is_room_for(void **state)
{
	struct nol_endpoint value = {0};
	struct endpoint parent = at("192.0.0.8:1");

	(void)state;
	for (int i = 0; i < NOL_ENDPOINT_PARENTS; i++, parent.port++)
		assert_int_equal(endpoint_add_parent(&value, &parent), 0);
	assert_int_equal(endpoint_add_parent(&value, &parent), -ENOSPC);
	assert_true(value.are_ipv4 == UINT64_MAX);
	endpoint_remove_parent(&value, NOL_ENDPOINT_PARENTS - 1);
	assert_true(value.are_ipv4 == UINT64_MAX >> 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(has_both_families_side_by_side),
		cmocka_unit_test(has_each_but_once),
		cmocka_unit_test(has_one_address_of_a_family),
		cmocka_unit_test(gives_the_last_one_the_place_of_one_that_goes),
		cmocka_unit_test(takes_as_many_as_there_is_room_for),
	};

	return cmocka_run_group_tests_name("endpoint_parents", tests, NULL, NULL);
}
