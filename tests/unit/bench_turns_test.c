/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How the benchmark compares two things in turns. */
#include "cmocka_setup.h"

#include "turns.h"

static void a_shuffled_order_has_each_once(void **state)
{
	unsigned int order[10], firsts[10] = {0};
	uint64_t seed = 1;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		unsigned int seen = 0;

		turns_shuffle(order, 10, &seed);
		for (int k = 0; k < 10; k++)
			seen |= 1u << order[k];
		assert_int_equal(seen, 0x3ff);
		firsts[order[0]]++;
	}
	for (int i = 0; i < 10; i++)
		assert_in_range(firsts[i], 50, 150);
}

static void compares_the_fastest_turns(void **state)
{
	struct turn turns[] = {{200, 100}, {12, 9},  {11, 9},  {110, 140}, {13, 9},  {500, 9},
			       {90, 80},   {90, 70}, {90, 60}, {90, 50},   {90, 40}, {90, 30}};
	struct turn two[] = {{5, 3}, {4, 1}};

	(void)state;
	assert_true(turns_difference(turns, 12) == 3);
	assert_true(turns_difference(two, 2) == 3);
}

static void a_thing_costs_nothing_more_than_itself(void **state)
{
	struct turn turns[400];
	uint64_t seed = 5;
	unsigned int order[400];

	(void)state;
	/* Both are drawn from the same values, in another order. */
	turns_shuffle(order, 400, &seed);
	for (int i = 0; i < 400; i++)
		turns[i].this_ns = 100 + order[i] % 50;
	turns_shuffle(order, 400, &seed);
	for (int i = 0; i < 400; i++)
		turns[i].other_ns = 100 + order[i] % 50;
	assert_true(turns_difference(turns, 400) > -4 && turns_difference(turns, 400) < 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_shuffled_order_has_each_once),
		cmocka_unit_test(compares_the_fastest_turns),
		cmocka_unit_test(a_thing_costs_nothing_more_than_itself),
	};

	return cmocka_run_group_tests_name("bench turns", tests, NULL, NULL);
}
