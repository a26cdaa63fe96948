/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What has changed between two runs of the benchmark, and whether that is better. */
#include <math.h>

#include "cmocka_setup.h"

#include "compare.h"
#include "sheet.h"

#define ROUNDS 12

/* Rounds that swing by a tenth around a middle. */
static void make_rounds(double values[ROUNDS], double middle)
{
	for (int i = 0; i < ROUNDS; i++)
		values[i] = middle * (1 + 0.1 * (i * 5 % ROUNDS - 5.5) / 5.5);
}

static struct change find_change(const double *old, const double *new, unsigned int count)
{
	struct change change;

	assert_int_equal(interval_of_change(&(struct change_rounds){old, count},
					    &(struct change_rounds){new, count}, false, &change),
			 0);
	return change;
}

static struct change change_between(double old_middle, double new_middle)
{
	double old[ROUNDS], new[ROUNDS];

	make_rounds(old, old_middle);
	make_rounds(new, new_middle);
	return find_change(old, new, ROUNDS);
}

static void a_change_is_the_ratio_of_the_medians(void **state)
{
	const struct change change = change_between(100, 150);

	(void)state;
	assert_true(fabs(change.old_value - 100) < 1e-9);
	assert_true(fabs(change.new_value - 150) < 1e-9);
	assert_true(fabs(change.ratio.value - 1.5) < 1e-9);
	assert_true(change.ratio.low > 1.3 && change.ratio.low < 1.5);
	assert_true(change.ratio.high > 1.5 && change.ratio.high < 1.7);
	assert_int_equal(change.ratio.count, ROUNDS);
}

static void a_change_is_the_same_every_time(void **state)
{
	const struct change first = change_between(100, 103), again = change_between(100, 103);

	(void)state;
	assert_true(first.ratio.low == again.ratio.low && first.ratio.high == again.ratio.high);
}

static void nothing_has_changed_between_a_run_and_itself(void **state)
{
	const struct change change = change_between(100, 100);

	(void)state;
	assert_true(change.ratio.value == 1);
	assert_true(change.ratio.low < 1 && change.ratio.high > 1);
	assert_int_equal(compare_judge(SHEET_LOWER, &change), COMPARE_SAME);
	assert_int_equal(compare_judge(SHEET_HIGHER, &change), COMPARE_SAME);
}

static void what_is_better_depends_on_the_figure(void **state)
{
	const struct change up = change_between(100, 150), down = change_between(150, 100);

	(void)state;
	assert_int_equal(compare_judge(SHEET_LOWER, &up), COMPARE_WORSE);
	assert_int_equal(compare_judge(SHEET_LOWER, &down), COMPARE_BETTER);
	assert_int_equal(compare_judge(SHEET_HIGHER, &up), COMPARE_BETTER);
	assert_int_equal(compare_judge(SHEET_HIGHER, &down), COMPARE_WORSE);
	assert_int_equal(compare_judge(SHEET_NO_AIM, &up), COMPARE_DIFFERENT);
	assert_int_equal(compare_judge(SHEET_NO_AIM, &down), COMPARE_DIFFERENT);
}

static void a_small_change_is_none_as_long_as_rounds_swing(void **state)
{
	const struct change change = change_between(100, 101);

	(void)state;
	assert_int_equal(compare_judge(SHEET_LOWER, &change), COMPARE_SAME);
}

static void five_rounds_of_either_are_too_few(void **state)
{
	const double few[] = {1, 1, 1, 1, 1}, many[] = {2, 2, 2, 2, 2, 2};
	struct change change;

	(void)state;
	assert_int_equal(interval_of_change(&(struct change_rounds){few, 5},
					    &(struct change_rounds){many, 6}, false, &change),
			 0);
	assert_true(change.ratio.value == 2);
	assert_int_equal(compare_judge(SHEET_LOWER, &change), COMPARE_TOO_FEW);
	assert_int_equal(interval_of_change(&(struct change_rounds){many, 6},
					    &(struct change_rounds){few, 5}, false, &change),
			 0);
	assert_int_equal(compare_judge(SHEET_LOWER, &change), COMPARE_TOO_FEW);
}

/* Failures, and nanoseconds more than an empty program's. */
static void what_is_not_positive_has_no_ratio_but_a_verdict(void **state)
{
	const double zero[] = {0, 0, 0, 0, 0, 0}, some[] = {3, 4, 5, 3, 4, 5};
	const double below[] = {-3, -4, -5, -3, -4, -5};
	const struct change worse = find_change(zero, some, 6), same = find_change(zero, zero, 6),
			    better = find_change(zero, below, 6);

	(void)state;
	assert_true(isnan(worse.ratio.value) && isnan(same.ratio.value) &&
		    isnan(better.ratio.value));
	assert_int_equal(compare_judge(SHEET_LOWER, &worse), COMPARE_WORSE);
	assert_int_equal(compare_judge(SHEET_LOWER, &same), COMPARE_SAME);
	assert_int_equal(compare_judge(SHEET_LOWER, &better), COMPARE_BETTER);
}

static void one_bad_round_shows_in_the_mean_of_shares(void **state)
{
	const double good[] = {100, 100, 100, 100, 100, 100}, bad[] = {100, 100, 40, 100, 100, 100};
	struct change change;

	(void)state;
	assert_int_equal(interval_of_change(&(struct change_rounds){good, 6},
					    &(struct change_rounds){bad, 6}, true, &change),
			 0);
	assert_true(fabs(change.new_value - 90) < 1e-9);
	assert_true(change.ratio.low < 0.9);
}

static void each_figure_of_a_table_has_an_aim(void **state)
{
	enum sheet_aim aim;

	(void)state;
	for (const struct sheet *sheet = sheet_table; sheet->name; sheet++)
		for (const struct figure *figure = sheet->figures; figure->name; figure++)
			if (!sheet_aim(figure->name, &aim))
				fail_msg("%s: is more of it better? see sheet.c", figure->name);
	assert_false(sheet_aim("connect.colour", &aim));
}

static void knows_which_way_a_figure_is_better(void **state)
{
	static const struct {
		const char *figure;
		enum sheet_aim aim;
	} cases[] = {
		{"flood.50000.connect_p99_us", SHEET_LOWER},
		{"program.syn_ns", SHEET_LOWER},
		{"serial.failed", SHEET_LOWER},
		{"crowd.own_bytes", SHEET_LOWER},
		{"cpu.us_per_connection", SHEET_LOWER},
		{"memory.established", SHEET_LOWER},
		{"handoff.4.per_s", SHEET_HIGHER},
		{"handshake.sockets_per_s", SHEET_HIGHER},
		{"bulk.mbit_s", SHEET_HIGHER},
		{"cpu.served_pct", SHEET_HIGHER},
		{"synack.offered_per_s", SHEET_NO_AIM},
		{"program.empty_ns", SHEET_NO_AIM},
	};
	enum sheet_aim aim;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(sheet_aim(cases[i].figure, &aim));
		assert_int_equal(aim, cases[i].aim);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_change_is_the_ratio_of_the_medians),
		cmocka_unit_test(a_change_is_the_same_every_time),
		cmocka_unit_test(nothing_has_changed_between_a_run_and_itself),
		cmocka_unit_test(what_is_better_depends_on_the_figure),
		cmocka_unit_test(a_small_change_is_none_as_long_as_rounds_swing),
		cmocka_unit_test(five_rounds_of_either_are_too_few),
		cmocka_unit_test(what_is_not_positive_has_no_ratio_but_a_verdict),
		cmocka_unit_test(one_bad_round_shows_in_the_mean_of_shares),
		cmocka_unit_test(each_figure_of_a_table_has_an_aim),
		cmocka_unit_test(knows_which_way_a_figure_is_better),
	};

	return cmocka_run_group_tests_name("bench_compare", tests, NULL, NULL);
}
