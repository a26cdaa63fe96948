/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "session.h"

#include "cmocka_setup.h"

static void advertises_an_mss_that_fits_the_mtu(void **state)
{
	(void)state;
	assert_int_equal(session_mss_v4(1500), 1460);
	assert_int_equal(session_mss_v6(1500), 1440);
	assert_int_equal(session_mss_v4(65536), 65495);
	assert_int_equal(session_mss_v6(65536), 65475);
}

/* 72 less 60 would leave 12, which timestamps use up; 0 is what lo can be set to. */
static void advertises_an_mss_that_has_room_for_data_on_any_mtu(void **state)
{
	(void)state;
	assert_int_equal(session_mss_v6(72), 48);
	assert_int_equal(session_mss_v6(0), 48);
	assert_int_equal(session_mss_v4(0), 48);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(advertises_an_mss_that_fits_the_mtu),
		cmocka_unit_test(advertises_an_mss_that_has_room_for_data_on_any_mtu),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
