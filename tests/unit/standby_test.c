/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* When generic XDP is attached, and when it is not any more. */
#include "cmocka_setup.h"

#include "standby.h"

static void peace_needs_no_xdp(void **state)
{
	struct standby standby = {0};

	(void)state;
	assert_false(standby_beat(&standby, 0));
	assert_false(standby_beat(&standby, STANDBY_FLOOD_PER_S - 1));
}

static void a_flood_is_answered_until_it_has_been_calm_for_a_while(void **state)
{
	struct standby standby = {0};

	(void)state;
	assert_true(standby_beat(&standby, STANDBY_FLOOD_PER_S));
	for (unsigned int i = 1; i < STANDBY_CALM_BEATS; i++)
		assert_true(standby_beat(&standby, STANDBY_CALM_PER_S - 1));
	assert_false(standby_beat(&standby, 0));
	assert_false(standby_beat(&standby, STANDBY_CALM_PER_S));
}

static void what_is_neither_flood_nor_calm_changes_nothing(void **state)
{
	struct standby standby = {0};

	(void)state;
	assert_true(standby_beat(&standby, 10 * STANDBY_FLOOD_PER_S));
	for (unsigned int i = 0; i < 3 * STANDBY_CALM_BEATS; i++)
		assert_true(standby_beat(&standby, i % 5 ? 0 : STANDBY_CALM_PER_S));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(peace_needs_no_xdp),
		cmocka_unit_test(a_flood_is_answered_until_it_has_been_calm_for_a_while),
		cmocka_unit_test(what_is_neither_flood_nor_calm_changes_nothing),
	};

	return cmocka_run_group_tests_name("standby", tests, NULL, NULL);
}
