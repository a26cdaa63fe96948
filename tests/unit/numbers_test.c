/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "numbers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmocka_setup.h"

static void takes_digits_within_the_limits(void **state)
{
	uint64_t number;

	(void)state;
	assert_true(number_parse("0", 0, 10, &number));
	assert_int_equal(number, 0);
	assert_true(number_parse("10", 0, 10, &number));
	assert_int_equal(number, 10);
	assert_true(number_parse("18446744073709551615", 0, UINT64_MAX, &number));
	assert_int_equal(number, UINT64_MAX);
}

static void refuses_everything_else_and_leaves_the_number_alone(void **state)
{
	static const char *const wrong[] = {"",
					    " 1",
					    "1 ",
					    "+1",
					    "-1",
					    "0x10",
					    "1.0",
					    "1\n",
					    "a",
					    "4",
					    "11",
					    "1e1",
					    "18446744073709551616",
					    "99999999999999999999"};
	uint64_t number = 7;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(number_parse(wrong[i], 5, 10, &number));
	assert_false(number_parse("18446744073709551616", 0, UINT64_MAX, &number));
	assert_int_equal(number, 7);
}

static int read_from_file(const char *text, unsigned int index, uint64_t *out)
{
	char path[] = "/tmp/numbers_test.XXXXXX";
	int fd = mkstemp(path), err;

	assert_true(fd >= 0);
	dprintf(fd, "%s", text);
	close(fd);
	err = number_read_file(path, index, out);
	unlink(path);
	return err;
}

static void reads_the_words_of_a_sysctl(void **state)
{
	uint64_t number;

	(void)state;
	assert_int_equal(read_from_file("32768\t60999\n", 0, &number), 0);
	assert_int_equal(number, 32768);
	assert_int_equal(read_from_file("32768\t60999\n", 1, &number), 0);
	assert_int_equal(number, 60999);
}

static void says_why_a_file_has_no_number(void **state)
{
	uint64_t number = 7;

	(void)state;
	assert_int_equal(read_from_file("32768\t60999\n", 2, &number), -EINVAL);
	assert_int_equal(read_from_file("", 0, &number), -EINVAL);
	assert_int_equal(read_from_file("-1\n", 0, &number), -EINVAL);
	assert_int_equal(number_read_file("/nonexistent/file", 0, &number), -ENOENT);
	assert_int_equal(number, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_digits_within_the_limits),
		cmocka_unit_test(refuses_everything_else_and_leaves_the_number_alone),
		cmocka_unit_test(reads_the_words_of_a_sysctl),
		cmocka_unit_test(says_why_a_file_has_no_number),
	};

	return cmocka_run_group_tests_name("numbers", tests, NULL, NULL);
}
