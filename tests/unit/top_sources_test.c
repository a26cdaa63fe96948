/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Who has most flows, of all of them or of a sample. */
#include <linux/types.h>
#include <string.h>

#include "unit/cmocka_setup.h"

#include "top_sources.h"

static struct snapshot snapshot;
static uint32_t flow_count, visited;
static bool is_v6;

/* Each third flow is of the first source, the others have one each. */
static int visit(struct core *core, flow_fn fn, void *context)
{
	struct tuple tuple = {.local.port = 80};
	struct nol_flow flow = {.method = NOL_METHOD_XDP};

	(void)core;
	for (visited = 0; visited < flow_count; visited++) {
		const uint32_t host = visited % 3 ? visited : 0;
		const uint8_t v4[4] = {10, (uint8_t)(host >> 16), (uint8_t)(host >> 8),
				       (uint8_t)host};
		uint8_t v6[16] = {0xfd, [5] = (uint8_t)(host >> 8), [6] = (uint8_t)host,
				  [15] = (uint8_t)visited};

		tuple.remote.addr = is_v6 ? addr_from_v6(v6) : addr_from_v4(v4);
		tuple.remote.port = (uint16_t)(1 + visited % 65535);
		flow.state = visited % 3 ? NOL_FLOW_SYN_RECEIVED : NOL_FLOW_HANDED_OFF;
		if (!fn(context, &tuple, &flow))
			break;
	}
	return (int)visited;
}

static int setup(void **state)
{
	(void)state;
	snapshot = (struct snapshot){.source_bits_v4 = 32, .source_bits_v6 = 64};
	is_v6 = false;
	return 0;
}

static json_int_t number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

/* The first source, borrowed. */
static json_t *look(json_t **out)
{
	*out = top_sources_to_json(NULL, visit, &snapshot);
	assert_non_null(*out);
	return json_array_get(json_object_get(*out, "list"), 0);
}

static void counts_all_of_a_small_table(void **state)
{
	json_t *object, *first;

	(void)state;
	flow_count = 300;
	first = look(&object);
	assert_string_equal(json_string_value(json_object_get(first, "source")), "10.0.0.0");
	assert_int_equal(number(first, "flows"), 100);
	assert_int_equal(number(first, "handed_off"), 100);
	assert_true(json_is_true(json_object_get(object, "is_all")));
	assert_int_equal(snapshot.flows, 300);
	assert_int_equal(number(json_object_get(object, "states"), "syn_received"), 200);
	assert_int_equal(number(json_object_get(object, "methods"), "xdp"), 300);
	assert_int_equal(json_array_size(json_object_get(object, "list")), TOP_SOURCES_SHOWN);
	json_decref(object);
}

static void stops_early_in_a_large_one(void **state)
{
	json_t *object, *first;

	(void)state;
	flow_count = 500000;
	snapshot.sum.half_open = 100000;
	snapshot.sum.session.handed_off = 700000;
	snapshot.sum.session.closed = 300000;
	first = look(&object);
	assert_int_equal(visited, TOP_SOURCES_SAMPLE);
	assert_true(json_is_false(json_object_get(object, "is_all")));
	assert_int_equal(number(object, "sampled"), TOP_SOURCES_SAMPLE);
	assert_int_equal(number(first, "flows"), (TOP_SOURCES_SAMPLE + 2) / 3);
	assert_int_equal(snapshot.flows, 500000);
	json_decref(object);
}

static void counts_by_prefixes(void **state)
{
	json_t *object, *first;

	(void)state;
	flow_count = 300;
	snapshot.source_bits_v4 = 8;
	first = look(&object);
	assert_string_equal(json_string_value(json_object_get(first, "source")), "10.0.0.0/8");
	assert_int_equal(number(first, "flows"), 300);
	json_decref(object);
	is_v6 = true;
	first = look(&object);
	assert_string_equal(json_string_value(json_object_get(first, "source")), "fd00::/64");
	assert_int_equal(number(first, "flows"), 100);
	json_decref(object);
}

static void has_nothing_of_an_empty_one(void **state)
{
	json_t *object;

	(void)state;
	flow_count = 0;
	assert_null(look(&object));
	assert_int_equal(snapshot.flows, 0);
	json_decref(object);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(counts_all_of_a_small_table),
		TEST(stops_early_in_a_large_one),
		TEST(counts_by_prefixes),
		TEST(has_nothing_of_an_empty_one),
	};

	return cmocka_run_group_tests_name("top_sources", tests, NULL, NULL);
}
