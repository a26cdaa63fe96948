/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The benchmark's arithmetic: quantiles, rounds, schedules, and how the time is shared out. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cmocka_setup.h"

#include "clock.h"
#include "histogram.h"
#include "name_list.h"
#include "samples.h"
#include "schedule.h"

static void is_exact_below_64(void **state)
{
	static struct histogram histogram;

	(void)state;
	for (uint64_t value = 1; value <= 60; value++)
		histogram_add(&histogram, value);
	assert_true(histogram_quantile(&histogram, 0.5) == 30);
	assert_true(histogram_quantile(&histogram, 0.9) == 54);
	assert_true(histogram_quantile(&histogram, 1) == 60);
	assert_true(histogram_quantile(&histogram, 0) == 1);
}

static void is_within_a_64th_whatever_the_size(void **state)
{
	static struct histogram histogram;

	(void)state;
	for (uint64_t value = 1; value < 1ull << HISTOGRAM_TOP_BIT; value += value / 7 + 1) {
		memset(&histogram, 0, sizeof(histogram));
		histogram_add(&histogram, value);
		assert_true(fabs(histogram_quantile(&histogram, 0.5) - value) <= value / 64.0);
	}
}

static void keeps_what_is_too_long_in_the_last_bucket(void **state)
{
	static struct histogram histogram;

	(void)state;
	histogram_add(&histogram, UINT64_MAX);
	histogram_add(&histogram, 1ull << HISTOGRAM_TOP_BIT);
	assert_int_equal(histogram.buckets[HISTOGRAM_BUCKETS - 1], 2);
}

static void an_empty_histogram_has_the_quantile_0(void **state)
{
	static const struct histogram histogram;

	(void)state;
	assert_true(histogram_quantile(&histogram, 0.99) == 0);
}

static void a_merged_histogram_has_the_values_of_both(void **state)
{
	static struct histogram all, more;

	(void)state;
	histogram_add(&all, 10);
	histogram_add(&more, 20);
	histogram_add(&more, 30);
	histogram_merge(&all, &more);
	assert_int_equal(all.count, 3);
	assert_true(histogram_quantile(&all, 0.5) == 20);
	assert_int_equal(histogram_count_to(&all, 20), 2);
}

static void gathers_the_rounds_of_a_name(void **state)
{
	struct sample_set set = {0};
	struct interval interval;

	(void)state;
	assert_int_equal(samples_add(&set, "a", 0, 1.5), 0);
	assert_int_equal(samples_add(&set, "b", 0, 7), 0);
	assert_int_equal(samples_add(&set, "a", 1, 2.5), 0);
	assert_int_equal(samples_find(&set, "a")->count, 2);
	assert_true(samples_interval(samples_find(&set, "a"), &interval) && interval.value == 2);
	assert_null(samples_find(&set, "c"));
	assert_false(samples_interval(NULL, &interval));
	samples_free(&set);
}

static void a_ratio_is_of_rounds_that_have_both(void **state)
{
	struct sample_set set = {0};
	struct interval ratio;

	(void)state;
	for (unsigned int round = 0; round < 20; round++) {
		if (round != 3)
			samples_add(&set, "a", round, 2 * (round + 1));
		if (round != 7)
			samples_add(&set, "base", round, round + 1);
	}
	samples_add(&set, "other", 20, 1);
	assert_true(samples_compare(samples_find(&set, "a"), samples_find(&set, "base"),
				    SAMPLES_RATIO, &ratio));
	assert_int_equal(ratio.count, 18);
	assert_true(ratio.value == 2 && ratio.low == 2 && ratio.high == 2);
	assert_false(samples_compare(samples_find(&set, "other"), samples_find(&set, "base"),
				     SAMPLES_RATIO, &ratio));
	assert_false(samples_compare(NULL, samples_find(&set, "base"), SAMPLES_RATIO, &ratio));
	samples_free(&set);
}

/* Of a base of 0 there is one, too. */
static void a_difference_is_of_rounds_that_have_both(void **state)
{
	struct sample_set set = {0};
	struct interval more;

	(void)state;
	for (unsigned int round = 0; round < 20; round++) {
		samples_add(&set, "a", round, round + 3);
		if (round != 7)
			samples_add(&set, "base", round, round);
	}
	assert_true(samples_compare(samples_find(&set, "a"), samples_find(&set, "base"),
				    SAMPLES_DIFFERENCE, &more));
	assert_int_equal(more.count, 19);
	assert_true(more.value == 3 && more.low == 3 && more.high == 3);
	samples_free(&set);
}

static void a_figure_without_a_value_keeps_its_first_reason(void **state)
{
	struct sample_set set = {0};
	struct interval ignored;

	(void)state;
	samples_add_reason(&set, "a", "it went away");
	samples_add_reason(&set, "a", "it was gone");
	assert_false(samples_interval(samples_find(&set, "a"), &ignored));
	assert_string_equal(samples_find(&set, "a")->reason, "it went away");
	samples_free(&set);
}

static void holds_any_number_of_names(void **state)
{
	struct sample_set set = {0};
	char name[16];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "%d", i);
		assert_int_equal(samples_add(&set, name, 0, i), 0);
	}
	assert_true(samples_find(&set, "999")->all[0].value == 999);
	samples_free(&set);
}

static void the_first_of_a_paced_load_is_due_at_its_start(void **state)
{
	const struct pace pace = {.start_ns = 5000, .per_s = 1000};

	(void)state;
	assert_int_equal(pace_due(&pace, 4999), 0);
	assert_int_equal(pace_due(&pace, 5000), 1);
	assert_int_equal(pace_due(&pace, 5000 + CLOCK_NS_PER_MS - 1), 1);
	assert_int_equal(pace_due(&pace, 5000 + CLOCK_NS_PER_MS), 2);
}

/* Rates that do not divide a second, and times beyond what 64 bits of rate times nanoseconds hold. */
static void what_is_due_at_its_time_is_counted_and_nothing_before(void **state)
{
	static const uint64_t rates[] = {1, 3, 7, 4000, 600000, 999999937};
	static const uint64_t indexes[] = {0, 1, 2, 999, 123456789, 6000000000};

	(void)state;
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		for (size_t j = 0; j < sizeof(indexes) / sizeof(indexes[0]); j++) {
			const struct pace pace = {.start_ns = 77, .per_s = rates[i]};
			const uint64_t at_ns = pace_time_ns(&pace, indexes[j]);

			assert_true(pace_due(&pace, at_ns) >= indexes[j] + 1);
			assert_true(at_ns == 77 || pace_due(&pace, at_ns - 1) <= indexes[j]);
		}
	}
}

static void a_plan_fills_its_budget(void **state)
{
	const struct plan_work work = {.budget_ms = 10000,
				       .first_round_ms = 500,
				       .round_ms = 750,
				       .slices = 40,
				       .rounds = 2};
	const struct plan plan = plan_make(&work);

	(void)state;
	assert_int_equal(plan.rounds, 2);
	assert_int_equal(plan.slice_ms, 100);
}

static void a_plan_gives_up_rounds_before_slices_get_too_short(void **state)
{
	const struct plan_work work = {
		.budget_ms = 10000, .round_ms = 1000, .slices = 100, .rounds = 5};
	const struct plan plan = plan_make(&work);

	(void)state;
	assert_int_equal(plan.rounds, 1);
	assert_int_equal(plan.slice_ms, 90);
}

static void a_plan_has_one_round_even_beyond_its_budget(void **state)
{
	const struct plan_work work = {
		.budget_ms = 1000, .round_ms = 5000, .slices = 10, .rounds = 3};
	const struct plan plan = plan_make(&work);

	(void)state;
	assert_int_equal(plan.rounds, 1);
	assert_int_equal(plan.slice_ms, PLAN_SLICE_MIN_MS);
}

static void little_work_does_not_take_longer_than_it_has_to(void **state)
{
	const struct plan_work work = {.budget_ms = 600000, .slices = 1, .rounds = 5};

	(void)state;
	assert_int_equal(plan_make(&work).slice_ms, PLAN_SLICE_MAX_MS);
}

static void no_slice_is_longer_than_asked_for(void **state)
{
	struct plan_work work = {.budget_ms = 10000, .slices = 40, .rounds = 2, .slice_max_ms = 80};

	(void)state;
	assert_int_equal(plan_make(&work).slice_ms, 80);
	work.slice_max_ms = 1000;
	assert_int_equal(plan_make(&work).slice_ms, 125);
}

static void a_list_has_whole_names_only(void **state)
{
	(void)state;
	assert_true(name_list_has("xdp,engine", "xdp"));
	assert_true(name_list_has("xdp,engine", "engine"));
	assert_false(name_list_has("xdp-native", "xdp"));
	assert_false(name_list_has("engine", "engine-x"));
	assert_false(name_list_has("", "xdp"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_exact_below_64),
		cmocka_unit_test(is_within_a_64th_whatever_the_size),
		cmocka_unit_test(keeps_what_is_too_long_in_the_last_bucket),
		cmocka_unit_test(an_empty_histogram_has_the_quantile_0),
		cmocka_unit_test(a_merged_histogram_has_the_values_of_both),
		cmocka_unit_test(gathers_the_rounds_of_a_name),
		cmocka_unit_test(a_ratio_is_of_rounds_that_have_both),
		cmocka_unit_test(a_difference_is_of_rounds_that_have_both),
		cmocka_unit_test(a_difference_is_of_rounds_that_have_both),
		cmocka_unit_test(a_figure_without_a_value_keeps_its_first_reason),
		cmocka_unit_test(holds_any_number_of_names),
		cmocka_unit_test(the_first_of_a_paced_load_is_due_at_its_start),
		cmocka_unit_test(what_is_due_at_its_time_is_counted_and_nothing_before),
		cmocka_unit_test(a_plan_fills_its_budget),
		cmocka_unit_test(a_plan_gives_up_rounds_before_slices_get_too_short),
		cmocka_unit_test(a_plan_has_one_round_even_beyond_its_budget),
		cmocka_unit_test(little_work_does_not_take_longer_than_it_has_to),
		cmocka_unit_test(no_slice_is_longer_than_asked_for),
		cmocka_unit_test(a_list_has_whole_names_only),
	};

	return cmocka_run_group_tests_name("bench", tests, NULL, NULL);
}
