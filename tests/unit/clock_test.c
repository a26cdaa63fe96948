/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "clock.h"

#include <linux/types.h>
#include <time.h>

#include <abi/terms.h>

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

/* To the millisecond, but for 4 ms a year; 2^32 ms are 49 days. */
static void counts_milliseconds_without_a_division(void **state)
{
	static const uint64_t days[] = {0, 1, 49, 50, 365, 3650, 36500};

	(void)state;
	for (size_t i = 0; i < sizeof(days) / sizeof(days[0]); i++) {
		const uint64_t start_ns = days[i] * 24 * 3600 * CLOCK_NS_PER_S;

		for (uint64_t ns = start_ns; ns < start_ns + 100 * CLOCK_NS_PER_MS; ns += 99991) {
			const uint32_t exact_ms = (uint32_t)(ns / CLOCK_NS_PER_MS);

			assert_in_range(nol_clock_ms(ns) - exact_ms, 0, 1 + days[i] / 80);
		}
	}
}

static void milliseconds_never_go_back(void **state)
{
	const uint64_t start_ns = 0xffffffffull - 2 * CLOCK_NS_PER_MS;
	uint32_t before = nol_clock_ms(start_ns);

	(void)state;
	for (uint64_t ns = start_ns; ns < start_ns + 4 * CLOCK_NS_PER_MS; ns += 7) {
		const uint32_t now = nol_clock_ms(ns);

		assert_in_range(now - before, 0, 1);
		before = now;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats_rfc_3339_with_microseconds),
		cmocka_unit_test(monotonic_time_never_goes_back),
		cmocka_unit_test(real_time_is_that_of_the_host),
		cmocka_unit_test(counts_milliseconds_without_a_division),
		cmocka_unit_test(milliseconds_never_go_back),
	};

	return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
