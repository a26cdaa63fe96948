/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How sure the benchmark is of a figure, and when it looks. */
#include <math.h>

#include "cmocka_setup.h"

#include "interval.h"
#include "looks.h"

static void the_median_is_the_middle_or_between_the_two(void **state)
{
	const double odd[] = {9, 1, 5}, even[] = {8, 2, 4, 100};

	(void)state;
	assert_true(interval_of_median(odd, 3, INTERVAL_MISS).value == 5);
	assert_true(interval_of_median(even, 4, INTERVAL_MISS).value == 6);
	assert_true(odd[0] == 9);
}

static void of_five_values_nothing_is_sure(void **state)
{
	const double values[] = {1, 2, 3, 4, 5};
	const struct interval interval = interval_of_median(values, 5, INTERVAL_MISS);

	(void)state;
	assert_true(interval.low == -INFINITY && interval.high == INFINITY);
	assert_int_equal(interval.count, 5);
}

/* What is cut off at either end for 95 %: tables of the sign test have it. */
static void the_interval_is_that_of_the_sign_test(void **state)
{
	static const struct {
		unsigned int count, cut;
	} cases[] = {{6, 0}, {8, 0}, {9, 1}, {12, 2}, {20, 5}, {50, 17}, {100, 39}};
	double values[100];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const unsigned int count = cases[i].count, cut = cases[i].cut;
		struct interval interval;

		/* In no order: 101 is a prime. */
		for (unsigned int k = 0, next = 0; next < count; k++)
			if (k * 37 % 101 < count)
				values[next++] = k * 37 % 101;
		interval = interval_of_median(values, count, INTERVAL_MISS);
		assert_true(interval.low == cut);
		assert_true(interval.high == count - 1 - cut);
	}
}

static void one_bad_round_shows_in_a_share(void **state)
{
	const double one_bad[] = {100, 100, 40, 100, 100, 100};
	const double weights[] = {10, 10, 50, 10, 10, 10};
	const struct interval bad = interval_of_share(one_bad, weights, 6, INTERVAL_MISS);

	(void)state;
	assert_true(bad.value == 70);
	assert_true(bad.low < 70 && bad.high > 99.9);
	assert_true(interval_of_share(one_bad, weights, 5, INTERVAL_MISS).low == -INFINITY);
}

/* Of n that were all served, Wilson: n / (n + 1.96^2) at least. */
static void rounds_without_a_loss_do_not_promise_that_there_is_none(void **state)
{
	const double values[] = {100, 100, 100, 100, 100, 100};
	const double few[] = {10, 10, 10, 10, 10, 10}, many[] = {1e4, 1e4, 1e4, 1e4, 1e4, 1e4};
	const struct interval of_few = interval_of_share(values, few, 6, INTERVAL_MISS),
			      of_many = interval_of_share(values, many, 6, INTERVAL_MISS);

	(void)state;
	assert_true(of_few.value == 100 && of_few.high == 100);
	assert_true(fabs(of_few.low - 100 * 60 / 63.8415) < 0.001);
	assert_true(of_many.low > 99.99 && of_many.low < 100);
}

static double next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (double)(*seed >> 11) / (double)(1ull << 53);
}

/* Rounds whose true mean is 80: how many of 1000 intervals have it. Percentiles that are not moved out: 870. */
static void an_interval_of_six_shares_has_the_true_one_as_often_as_it_says(void **state)
{
	double values[6], weights[6];
	unsigned int hits = 0;
	uint64_t seed = 1;

	(void)state;
	for (int run = 0; run < 1000; run++) {
		struct interval interval;

		for (int i = 0; i < 6; i++) {
			values[i] = 60 + 40 * next_random(&seed);
			weights[i] = 300;
		}
		interval = interval_of_share(values, weights, 6, INTERVAL_MISS);
		hits += interval.low <= 80 && interval.high >= 80;
	}
	assert_in_range(hits, 925, 1000);
}

static void looks_are_after_twice_as_many_rounds_each_time(void **state)
{
	(void)state;
	assert_int_equal(looks_planned(5).count, 0);
	assert_int_equal(looks_planned(6).count, 6);
	assert_int_equal(looks_planned(11).count, 6);
	assert_int_equal(looks_planned(12).count, 12);
	assert_int_equal(looks_planned(100).count, 96);
	assert_int_equal(looks_final(9).count, 9);
	assert_true(looks_final(9).miss == looks_planned(12).miss);
	assert_true(looks_final(96).miss == looks_planned(96).miss);
}

static void all_looks_together_miss_one_in_twenty(void **state)
{
	double sum = 0;

	(void)state;
	assert_true(looks_planned(6).miss == 1 / 32.0);
	for (unsigned int rounds = 6; rounds < 1u << 30; rounds *= 2)
		sum += looks_planned(rounds).miss;
	assert_true(sum > 0.0499 && sum < INTERVAL_MISS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_median_is_the_middle_or_between_the_two),
		cmocka_unit_test(of_five_values_nothing_is_sure),
		cmocka_unit_test(the_interval_is_that_of_the_sign_test),
		cmocka_unit_test(one_bad_round_shows_in_a_share),
		cmocka_unit_test(rounds_without_a_loss_do_not_promise_that_there_is_none),
		cmocka_unit_test(an_interval_of_six_shares_has_the_true_one_as_often_as_it_says),
		cmocka_unit_test(looks_are_after_twice_as_many_rounds_each_time),
		cmocka_unit_test(all_looks_together_miss_one_in_twenty),
	};

	return cmocka_run_group_tests_name("bench interval", tests, NULL, NULL);
}
