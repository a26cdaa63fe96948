// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What each source holds, and the flow table that goes by it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "accepted_flows.h"
#include "bounded_flows.h"

static struct tuple tuple_of(const char *remote)
{
	struct tuple tuple;

	assert_true(
		endpoint_parse(remote[0] == '[' ? "[fd00::2]:80" : "10.0.0.2:80", &tuple.local));
	assert_true(endpoint_parse(remote, &tuple.remote));
	return tuple;
}

static struct sources *sources;

static int hold(const char *remote)
{
	const struct tuple tuple = tuple_of(remote);

	return sources_hold(sources, &tuple);
}

static void release(const char *remote)
{
	const struct tuple tuple = tuple_of(remote);

	sources_release(sources, &tuple);
}

static uint32_t held(const char *remote)
{
	const struct tuple tuple = tuple_of(remote);

	return sources_held(sources, &tuple.remote.addr);
}

/* One bucket: whatever there is, is in one chain. */
static void open_sources(uint32_t max, uint8_t bits_v4, uint8_t bits_v6)
{
	const struct sources_options options = {
		.max = max, .bits_v4 = bits_v4, .bits_v6 = bits_v6, .max_flows = 1};

	assert_int_equal(sources_new(&sources, &options), 0);
}

static int close_sources(void **state)
{
	(void)state;
	sources_free(sources);
	sources = NULL;
	return 0;
}

static void a_source_holds_so_many_and_no_more(void **state)
{
	(void)state;
	open_sources(2, 32, 64);
	assert_int_equal(hold("10.0.0.1:1"), 1);
	assert_int_equal(hold("10.0.0.1:2"), 1);
	assert_int_equal(hold("10.0.0.1:3"), -EDQUOT);
	assert_int_equal(hold("10.0.0.3:3"), 1);
	assert_int_equal(held("10.0.0.1:9"), 2);
	release("10.0.0.1:1");
	assert_int_equal(hold("10.0.0.1:3"), 1);
	assert_int_equal(hold("10.0.0.1:1"), -EDQUOT);
}

static void a_flow_counts_once(void **state)
{
	(void)state;
	open_sources(2, 32, 64);
	assert_int_equal(hold("10.0.0.1:1"), 1);
	assert_int_equal(hold("10.0.0.1:1"), 0);
	assert_int_equal(held("10.0.0.1:1"), 1);
	release("10.0.0.1:1");
	release("10.0.0.1:1");
	release("10.0.0.1:7");
	assert_int_equal(held("10.0.0.1:1"), 0);
	assert_int_equal(hold("10.0.0.1:1"), 1);
	assert_int_equal(hold("10.0.0.1:2"), 1);
	assert_int_equal(hold("10.0.0.1:1"), 0);
}

static void a_prefix_is_a_source(void **state)
{
	(void)state;
	open_sources(1, 20, 57);
	assert_int_equal(hold("10.0.16.1:1"), 1);
	assert_int_equal(hold("10.0.31.255:1"), -EDQUOT);
	assert_int_equal(hold("10.0.32.1:1"), 1);
	assert_int_equal(hold("10.0.15.255:1"), 1);
	assert_int_equal(hold("[fd00:0:0:80::1]:1"), 1);
	assert_int_equal(hold("[fd00:0:0:ff::1]:2"), -EDQUOT);
	assert_int_equal(hold("[fd00:0:0:7f::1]:2"), 1);
	assert_int_equal(hold("[fd00:0:0:100::1]:2"), 1);
}

/* However short the prefixes are. */
static void families_are_apart(void **state)
{
	(void)state;
	open_sources(1, 1, 1);
	assert_int_equal(hold("10.0.0.1:1"), 1);
	assert_int_equal(hold("[12::1]:1"), 1);
	assert_int_equal(hold("[fd00::1]:1"), 1);
	assert_int_equal(hold("200.0.0.1:1"), 1);
	assert_int_equal(hold("11.0.0.1:1"), -EDQUOT);
	assert_int_equal(hold("[fd99::1]:1"), -EDQUOT);
}

static char told[256];

static void note_full(void *context, const struct addr *source, bool is_full)
{
	char text[ADDR_TEXT_SIZE];

	assert_ptr_equal(context, told);
	addr_format(source, text);
	strcat(strcat(strcat(told, is_full ? "+" : "-"), text), " ");
}

static void it_is_told_when_a_source_is_full_and_when_no_more(void **state)
{
	const struct sources_options options = {.max = 2,
						.bits_v4 = 24,
						.bits_v6 = 64,
						.max_flows = 1,
						.full = note_full,
						.context = told};

	(void)state;
	*told = '\0';
	assert_int_equal(sources_new(&sources, &options), 0);
	assert_int_equal(hold("10.0.0.1:1"), 1);
	assert_string_equal(told, "");
	assert_int_equal(hold("10.0.0.2:2"), 1);
	assert_int_equal(hold("10.0.0.3:3"), -EDQUOT);
	assert_int_equal(hold("10.0.0.2:2"), 0);
	assert_string_equal(told, "+10.0.0.0 ");
	release("10.0.0.1:1");
	release("10.0.0.2:2");
	assert_string_equal(told, "+10.0.0.0 -10.0.0.0 ");
	assert_int_equal(hold("[fd00::1]:1"), 1);
	assert_int_equal(hold("[fd00::2]:1"), 1);
	release("[fd00::1]:1");
	assert_string_equal(told, "+10.0.0.0 -10.0.0.0 +fd00:: -fd00:: ");
}

static bool let_go(void *context, const struct tuple *tuple)
{
	unsigned int *left = context;

	sources_release(sources, tuple);
	return --*left;
}

static void what_is_visited_may_be_released(void **state)
{
	unsigned int left = 3;

	(void)state;
	open_sources(9, 32, 64);
	assert_int_equal(sources_visit(sources, let_go, &left), 0);
	assert_int_equal(hold("10.0.0.1:1"), 1);
	assert_int_equal(hold("10.0.0.1:2"), 1);
	assert_int_equal(hold("10.0.0.2:1"), 1);
	assert_int_equal(hold("[fd00::1]:1"), 1);
	assert_int_equal(sources_visit(sources, let_go, &left), 4);
	assert_int_equal(left, 0);
	left = 9;
	assert_int_equal(sources_visit(sources, let_go, &left), 1);
	assert_int_equal(left, 8);
	assert_int_equal(held("10.0.0.1:1") + held("10.0.0.2:1") + held("[fd00::1]:1"), 0);
}

/* A table that does as it is told. */
static int result;
static unsigned int calls;

static int open_inner(struct flows *flows, const struct tuple *tuple, uint64_t now_ns,
		      struct nol_flow *old)
{
	(void)old;
	(void)flows;
	(void)tuple;
	(void)now_ns;
	calls++;
	return result;
}

static int close_inner(struct flows *flows, const struct tuple *tuple)
{
	(void)flows;
	(void)tuple;
	return result;
}

static void forget_inner(struct flows *flows, const struct tuple *tuple, bool only_closed)
{
	(void)flows;
	(void)tuple;
	(void)only_closed;
	calls++;
}

static const struct flows_ops inner_ops = {
	.open = open_inner,
	.close = close_inner,
	.forget = forget_inner,
};

static struct flows inner = {.ops = &inner_ops, .method = NOL_METHOD_ENGINE}, *bounded;

static int open_bounded(void **state)
{
	const struct sources_options options = {
		.max = 1, .bits_v4 = 32, .bits_v6 = 64, .max_flows = 16};

	(void)state;
	result = 0;
	calls = 0;
	return bounded_flows_new(&bounded, &inner, &options);
}

static int close_bounded(void **state)
{
	(void)state;
	bounded_flows_free(bounded);
	return 0;
}

static int open_flow(const char *remote)
{
	const struct tuple tuple = tuple_of(remote);
	struct nol_flow old;

	return bounded->ops->open(bounded, &tuple, 0, &old);
}

static int admit(const char *remote)
{
	const struct tuple tuple = tuple_of(remote);

	return bounded->ops->admit(bounded, &tuple);
}

static int close_flow(const char *remote)
{
	const struct tuple tuple = tuple_of(remote);

	return bounded->ops->close(bounded, &tuple);
}

static void forget(const char *remote, bool only_closed)
{
	const struct tuple tuple = tuple_of(remote);

	bounded->ops->forget(bounded, &tuple, only_closed);
}

static void opens_no_flow_of_a_source_that_is_full(void **state)
{
	(void)state;
	assert_int_equal(bounded->method, NOL_METHOD_ENGINE);
	assert_null(bounded->ops->force);
	assert_int_equal(open_flow("10.0.0.1:1"), 0);
	assert_int_equal(open_flow("10.0.0.1:2"), -EDQUOT);
	assert_int_equal(admit("10.0.0.1:3"), -EDQUOT);
	assert_int_equal(calls, 1);
	assert_int_equal(admit("10.0.0.1:1"), 0);
	assert_int_equal(admit("10.0.0.4:1"), 0);
	assert_int_equal(open_flow("10.0.0.4:2"), -EDQUOT);
}

static void what_could_not_be_opened_does_not_count(void **state)
{
	(void)state;
	result = -E2BIG;
	assert_int_equal(open_flow("10.0.0.1:1"), -E2BIG);
	result = 1;
	assert_int_equal(open_flow("10.0.0.1:2"), 1);
	/* It is the kernel's, and counts on. */
	result = -EALREADY;
	assert_int_equal(open_flow("10.0.0.1:2"), -EALREADY);
	assert_int_equal(open_flow("10.0.0.1:3"), -EDQUOT);
}

static void a_flow_counts_until_its_socket_is_gone(void **state)
{
	(void)state;
	assert_int_equal(open_flow("10.0.0.1:1"), 0);
	result = -ENOENT;
	assert_int_equal(close_flow("10.0.0.1:1"), -ENOENT);
	assert_int_equal(admit("10.0.0.1:2"), -EDQUOT);
	result = 0;
	assert_int_equal(close_flow("10.0.0.1:1"), 0);
	assert_int_equal(admit("10.0.0.1:2"), 0);
}

static void a_flow_counts_until_it_is_forgotten_without_a_socket(void **state)
{
	(void)state;
	assert_int_equal(open_flow("10.0.0.1:1"), 0);
	/* The end of the grace of one before it. */
	forget("10.0.0.1:1", true);
	assert_int_equal(open_flow("10.0.0.1:2"), -EDQUOT);
	forget("10.0.0.1:1", false);
	assert_int_equal(open_flow("10.0.0.1:2"), 0);
	assert_int_equal(calls, 4);
}

static int open_accepted(void **state)
{
	const struct sources_options options = {
		.max = 1, .bits_v4 = 32, .bits_v6 = 64, .max_flows = 16};

	(void)state;
	return accepted_flows_new(&bounded, &options);
}

static int close_accepted(void **state)
{
	(void)state;
	accepted_flows_free(bounded);
	return 0;
}

static bool count_visit(void *context, const struct tuple *tuple, const struct nol_flow *flow)
{
	unsigned int *count = context;

	(void)tuple;
	assert_int_equal(flow->state, NOL_FLOW_HANDED_OFF);
	(*count)++;
	return true;
}

static void what_was_accepted_counts_until_its_socket_is_gone(void **state)
{
	unsigned int count = 0;

	(void)state;
	assert_int_equal(bounded->method, NOL_METHOD_ACCEPT);
	assert_int_equal(open_flow("10.0.0.1:1"), 0);
	assert_int_equal(open_flow("10.0.0.1:2"), -EDQUOT);
	/* The end of the one before it is yet to be heard of. */
	assert_int_equal(open_flow("10.0.0.1:1"), 1);
	assert_int_equal(bounded->ops->visit(bounded, count_visit, &count), 1);
	assert_int_equal(count, 1);
	/* Nobody is to be told. */
	assert_int_equal(close_flow("10.0.0.1:1"), -ENOENT);
	assert_int_equal(open_flow("10.0.0.1:2"), 0);
	forget("10.0.0.1:2", true);
	assert_int_equal(open_flow("10.0.0.1:3"), -EDQUOT);
	forget("10.0.0.1:2", false);
	assert_int_equal(open_flow("10.0.0.1:3"), 0);
}

#define sources_test(f) cmocka_unit_test_teardown(f, close_sources)
#define bounded_test(f) cmocka_unit_test_setup_teardown(f, open_bounded, close_bounded)
#define accepted_test(f) cmocka_unit_test_setup_teardown(f, open_accepted, close_accepted)

int main(void)
{
	const struct CMUnitTest tests[] = {
		sources_test(a_source_holds_so_many_and_no_more),
		sources_test(a_flow_counts_once),
		sources_test(a_prefix_is_a_source),
		sources_test(families_are_apart),
		sources_test(it_is_told_when_a_source_is_full_and_when_no_more),
		sources_test(what_is_visited_may_be_released),
		bounded_test(opens_no_flow_of_a_source_that_is_full),
		bounded_test(what_could_not_be_opened_does_not_count),
		bounded_test(a_flow_counts_until_its_socket_is_gone),
		bounded_test(a_flow_counts_until_it_is_forgotten_without_a_socket),
		accepted_test(what_was_accepted_counts_until_its_socket_is_gone),
	};

	return cmocka_run_group_tests_name("sources", tests, NULL, NULL);
}
