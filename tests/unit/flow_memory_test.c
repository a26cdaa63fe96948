// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The flow table of the methods without BPF. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flow_memory.h"

static struct tuple tuple_of(uint16_t remote_port)
{
	struct tuple tuple = {.local.port = 80, .remote.port = remote_port};

	assert_true(addr_parse("10.0.0.2", &tuple.local.addr));
	assert_true(addr_parse("10.0.0.1", &tuple.remote.addr));
	return tuple;
}

static void finds_what_was_added_and_nothing_else(void **state)
{
	const struct tuple one = tuple_of(1), other = tuple_of(2);
	struct flow_memory *memory;
	struct flow_entry *entry;

	(void)state;
	assert_int_equal(flow_memory_new(&memory, 8), 0);
	assert_null(flow_memory_find(memory, &one));
	entry = flow_memory_add(memory, &one);
	assert_non_null(entry);
	assert_int_equal(entry->flow.state, NOL_FLOW_NONE);
	assert_ptr_equal(flow_memory_find(memory, &one), entry);
	assert_null(flow_memory_find(memory, &other));
	flow_memory_free(memory);
}

static void is_full_at_its_limit_and_has_room_again(void **state)
{
	struct flow_memory *memory;
	struct tuple tuple;

	(void)state;
	assert_int_equal(flow_memory_new(&memory, 3), 0);
	for (uint16_t port = 1; port <= 3; port++) {
		tuple = tuple_of(port);
		assert_non_null(flow_memory_add(memory, &tuple));
	}
	tuple = tuple_of(4);
	assert_null(flow_memory_add(memory, &tuple));
	assert_int_equal(errno, E2BIG);
	tuple = tuple_of(2);
	flow_memory_remove(memory, &tuple);
	flow_memory_remove(memory, &tuple);
	tuple = tuple_of(4);
	assert_non_null(flow_memory_add(memory, &tuple));
	flow_memory_free(memory);
}

static bool add_port(void *context, const struct tuple *tuple, const struct nol_flow *flow)
{
	(void)flow;
	*(unsigned int *)context += tuple->remote.port;
	return tuple->remote.port != 0;
}

static void visits_every_flow_once(void **state)
{
	struct flow_memory *memory;
	unsigned int sum = 0;

	(void)state;
	assert_int_equal(flow_memory_new(&memory, 1), 0);
	assert_int_equal(flow_memory_visit(memory, add_port, &sum), 0);
	flow_memory_free(memory);
	assert_int_equal(flow_memory_new(&memory, 1000), 0);
	for (uint16_t port = 1; port <= 1000; port++) {
		const struct tuple tuple = tuple_of(port);

		assert_non_null(flow_memory_add(memory, &tuple));
	}
	assert_int_equal(flow_memory_visit(memory, add_port, &sum), 1000);
	assert_int_equal(sum, 500500);
	flow_memory_free(memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_was_added_and_nothing_else),
		cmocka_unit_test(is_full_at_its_limit_and_has_room_again),
		cmocka_unit_test(visits_every_flow_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
