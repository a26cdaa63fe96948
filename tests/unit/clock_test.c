/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "clock.h"

#include <time.h>

#include "cmocka_setup.h"

static void formats_rfc_3339_with_microseconds(void **state)
{
	char text[CLOCK_TEXT_SIZE];

	(void)state;
	clock_format(text, 1795288718ull * CLOCK_NS_PER_S + 123456789);
	assert_string_equal(text, "2026-11-21T19:18:38.123456Z");
	clock_format(text, 0);
	assert_string_equal(text, "1970-01-01T00:00:00.000000Z");
	clock_format(text, UINT64_MAX);
	assert_string_equal(text, "2554-07-21T23:34:33.709551Z");
}

static void monotonic_time_never_goes_back(void **state)
{
	uint64_t before = clock_monotonic_ns();
	int i;

	(void)state;
	for (i = 0; i < 1000; i++) {
		uint64_t now = clock_monotonic_ns();

		assert_true(now >= before);
		before = now;
	}
}

static void real_time_is_that_of_the_host(void **state)
{
	uint64_t start_ns = (uint64_t)time(NULL) * CLOCK_NS_PER_S;
	uint64_t now_ns = clock_realtime_ns();
	/* time() reads a coarser clock, which may be a tick behind. */
	uint64_t end_ns = ((uint64_t)time(NULL) + 2) * CLOCK_NS_PER_S;

	(void)state;
	assert_in_range(now_ns, start_ns, end_ns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats_rfc_3339_with_microseconds),
		cmocka_unit_test(monotonic_time_never_goes_back),
		cmocka_unit_test(real_time_is_that_of_the_host),
	};

	return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
