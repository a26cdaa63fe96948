/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The benchmark's arithmetic: quantiles, medians, and the lines that its programs hand to the report. */
#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "cmocka_setup.h"

#include "bench/histogram.c"
#include "bench/samples.c"

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

static int read_text(struct sample_set *set, const char *text, unsigned int *line)
{
	FILE *file = fmemopen((void *)text, strlen(text), "r");
	int err = samples_read(set, file, line);

	fclose(file);
	return err;
}

static void gathers_the_rounds_of_a_name(void **state)
{
	static struct sample_set set;
	const struct samples *found;
	unsigned int line;

	(void)state;
	assert_int_equal(read_text(&set, "a 1.5\nb 7\na 2\nmissing b it went away\n", &line), 0);
	found = samples_find(&set, "a");
	assert_int_equal(found->count, 2);
	assert_true(found->values[1] == 2);
	assert_string_equal(found->reason, "");
	assert_string_equal(samples_find(&set, "b")->reason, "it went away");
	assert_null(samples_find(&set, "c"));
}

static void refuses_a_line_without_a_value(void **state)
{
	static struct sample_set set;
	unsigned int line;

	(void)state;
	assert_int_equal(read_text(&set, "a 1\na\n", &line), -EINVAL);
	assert_int_equal(line, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_exact_below_64),
		cmocka_unit_test(is_within_a_64th_whatever_the_size),
		cmocka_unit_test(keeps_what_is_too_long_in_the_last_bucket),
		cmocka_unit_test(an_empty_histogram_has_the_quantile_0),
		cmocka_unit_test(the_median_is_the_middle_or_between_the_two),
		cmocka_unit_test(gathers_the_rounds_of_a_name),
		cmocka_unit_test(refuses_a_line_without_a_value),
	};

	return cmocka_run_group_tests_name("bench", tests, NULL, NULL);
}
