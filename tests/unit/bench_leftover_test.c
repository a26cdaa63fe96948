/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How the benchmark tells what others had of a CPU, by looks at the clock. */
#include "cmocka_setup.h"

#include "leftover.h"

/* 20 ns each, as long as nobody else is there. */
static void look_until(struct leftover *leftover, uint64_t end_ns)
{
	while (leftover->now_ns < end_ns)
		leftover_look(leftover, leftover->now_ns + 20);
}

static struct leftover begin(void)
{
	struct leftover leftover = {.look_ns = 20};

	leftover_look(&leftover, 1000000);
	return leftover;
}

static void nobody_else_has_taken_anything(void **state)
{
	struct leftover leftover = begin();

	(void)state;
	assert_int_equal(leftover.taken_ns, 0);
	look_until(&leftover, 2000000);
	/* Slower for a moment is no gap. */
	leftover_look(&leftover, leftover.now_ns + 80);
	assert_int_equal(leftover.taken_ns, 0);
}

static void a_gap_is_what_others_had(void **state)
{
	struct leftover leftover = begin();

	(void)state;
	look_until(&leftover, 1500000);
	leftover_look(&leftover, leftover.now_ns + 20 + 5000);
	look_until(&leftover, 2000000);
	leftover_look(&leftover, leftover.now_ns + 20 + 300);
	assert_int_equal(leftover.taken_ns, 5300);
}

static void what_is_used_without_clients_is_not_theirs(void **state)
{
	const struct leftover_mark idle[] = {{1000, 50}, {2000, 60}},
				   loaded[] = {{3000, 70}, {7000, 510}};
	const struct leftover_mark busier[] = {{1000, 50}, {2000, 250}};

	(void)state;
	assert_true(leftover_share(idle) == 0.01);
	assert_true(leftover_more_ns(loaded, idle) > 399.999 &&
		    leftover_more_ns(loaded, idle) < 400.001);
	assert_true(leftover_more_ns(idle, busier) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_else_has_taken_anything),
		cmocka_unit_test(a_gap_is_what_others_had),
		cmocka_unit_test(what_is_used_without_clients_is_not_theirs),
	};

	return cmocka_run_group_tests_name("bench leftover", tests, NULL, NULL);
}
