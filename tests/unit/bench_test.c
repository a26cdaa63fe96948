/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The benchmark's arithmetic: quantiles, medians, schedules, and how the time is shared out. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cmocka_setup.h"

#include "board.h"
#include "clock.h"
#include "goals.h"
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

static void the_median_is_the_middle_or_between_the_two(void **state)
{
	const double odd[] = {9, 1, 5}, even[] = {8, 2, 4, 100};

	(void)state;
	assert_true(samples_median(odd, 3) == 5);
	assert_true(samples_median(even, 4) == 6);
	assert_true(odd[0] == 9);
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
	double median;

	(void)state;
	assert_int_equal(samples_add(&set, "a", 1.5), 0);
	assert_int_equal(samples_add(&set, "b", 7), 0);
	assert_int_equal(samples_add(&set, "a", 2.5), 0);
	assert_int_equal(samples_find(&set, "a")->count, 2);
	assert_true(samples_get_median(&set, "a", &median) && median == 2);
	assert_null(samples_find(&set, "c"));
	samples_free(&set);
}

static void a_figure_without_a_value_keeps_its_first_reason(void **state)
{
	struct sample_set set = {0};
	double median;

	(void)state;
	samples_add_reason(&set, "a", "it went away");
	samples_add_reason(&set, "a", "it was gone");
	assert_false(samples_get_median(&set, "a", &median));
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
		assert_int_equal(samples_add(&set, name, i), 0);
	}
	assert_true(samples_find(&set, "999")->values[0] == 999);
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

/* Rows listen and auto. */
static void open_board(struct board *board, const char *only)
{
	*board = (struct board){.only = only};
	assert_int_equal(board_open(board, 2), 0);
	board->rows[0] = (struct board_row){.name = "listen", .reason = ""};
	board->rows[1] = (struct board_row){.name = "auto", .reason = "it would not start"};
}

static void compares_medians_and_only_where_there_are_two(void **state)
{
	struct board board;
	double ratio;

	(void)state;
	open_board(&board, NULL);
	board_record(&board, "auto", "synack.per_s", 10);
	assert_false(
		board_compare(&board, "auto", "synack.per_s", "listen", "synack.per_s", &ratio));
	board_record(&board, "auto", "synack.per_s", 30);
	board_record(&board, "listen", "synack.per_s", 5);
	assert_true(
		board_compare(&board, "auto", "synack.per_s", "listen", "synack.per_s", &ratio));
	assert_true(ratio == 4);
	board_close(&board);
}

static void says_why_a_figure_is_missing_as_exactly_as_it_can(void **state)
{
	struct board board;

	(void)state;
	open_board(&board, NULL);
	assert_string_equal(board_reason(&board, "xdp", "connect.p50_us"), "it did not take part");
	assert_string_equal(board_reason(&board, "listen", "connect.p50_us"),
			    "it did not take part");
	assert_string_equal(board_reason(&board, "auto", "connect.p50_us"), "it would not start");
	board_record_reason(&board, "auto", "connect.p50_us", "refused");
	assert_string_equal(board_reason(&board, "auto", "connect.p50_us"), "refused");
	board_close(&board);
}

/* The goal of that text; false: it is not told of. */
static bool judge(const struct board *board, const char *text, struct goal_result *out)
{
	for (size_t i = 0; i < goal_count(); i++)
		if (goal_judge(board, i, out) && !strcmp(out->text, text))
			return true;
	return false;
}

static void judges_a_goal_by_what_the_board_says(void **state)
{
	static const char text[] = "connect() p50, auto to listen()";
	struct goal_result result;
	struct board board;

	(void)state;
	open_board(&board, NULL);
	assert_true(judge(&board, text, &result));
	assert_int_equal(result.state, GOAL_UNKNOWN);
	assert_string_equal(result.reason, "it would not start");
	board_record(&board, "auto", "connect.p50_us", 30);
	assert_true(judge(&board, text, &result));
	assert_int_equal(result.state, GOAL_UNKNOWN);
	assert_string_equal(result.reason, "it did not take part");
	board_record(&board, "listen", "connect.p50_us", 50);
	assert_true(judge(&board, text, &result));
	assert_int_equal(result.state, GOAL_MET);
	assert_string_equal(result.limit, "at most 0.6x");
	board_record(&board, "listen", "connect.p50_us", 20);
	assert_true(judge(&board, text, &result));
	assert_int_equal(result.state, GOAL_MISSED);
	board_close(&board);
}

static void leaves_out_goals_that_were_not_asked_for(void **state)
{
	struct goal_result result;
	struct board board;

	(void)state;
	open_board(&board, "serial,synack");
	assert_false(judge(&board, "connect() p50, auto to listen()", &result));
	assert_true(judge(&board, "connect() to first byte p50, auto to accept()", &result));
	assert_false(judge(&board, "SYN-ACKs a second, xdp to listen()", &result));
	board_close(&board);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_exact_below_64),
		cmocka_unit_test(is_within_a_64th_whatever_the_size),
		cmocka_unit_test(keeps_what_is_too_long_in_the_last_bucket),
		cmocka_unit_test(an_empty_histogram_has_the_quantile_0),
		cmocka_unit_test(the_median_is_the_middle_or_between_the_two),
		cmocka_unit_test(a_merged_histogram_has_the_values_of_both),
		cmocka_unit_test(gathers_the_rounds_of_a_name),
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
		cmocka_unit_test(compares_medians_and_only_where_there_are_two),
		cmocka_unit_test(says_why_a_figure_is_missing_as_exactly_as_it_can),
		cmocka_unit_test(judges_a_goal_by_what_the_board_says),
		cmocka_unit_test(leaves_out_goals_that_were_not_asked_for),
	};

	return cmocka_run_group_tests_name("bench", tests, NULL, NULL);
}
