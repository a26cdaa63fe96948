/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The probes: they tell the truth with privileges and without. */
#include <sys/wait.h>

#include "fixture.h"

#include "no_netfilter.h"
#include "probe.h"

static void every_feature_says_what_it_is_for(void **state)
{
	(void)state;
	for (const struct feature *feature = feature_table; feature->name; feature++) {
		assert_non_null(feature->needed_for);
		assert_non_null(feature->is_present);
	}
}

/* Where the programs load and attach, nothing that this needs may be reported missing. */
static void what_works_is_not_missing(void **state)
{
	const struct feature *missing = feature_first_missing(false);

	(void)state;
	assert_int_equal(fixture_setup(state), 0);
	assert_int_equal(kern_attach(kern), 0);
	fixture_teardown(state);
	if (missing)
		print_message("missing: %s\n", missing->name);
	assert_null(missing);
}

static void without_privileges_everything_that_needs_them_is_missing(void **state)
{
	pid_t child = fork();
	int status;

	(void)state;
	assert_true(child >= 0);
	if (child == 0) {
		bool is_refused =
			setuid(65534) == 0 && feature_first_missing(false) == feature_table;

		_exit(is_refused && !feature_table[1].is_present() ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static bool has_netfilter(void)
{
	const struct feature *feature = feature_table;

	while (feature->name && !feature->is_for_netfilter)
		feature++;
	return feature->name && feature->is_present();
}

static void a_kernel_without_netfilter_is_known(void **state)
{
	pid_t child = fork();
	int status;

	(void)state;
	assert_true(child >= 0);
	if (child == 0)
		_exit(lose_netfilter() || has_netfilter());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_feature_says_what_it_is_for),
		cmocka_unit_test(what_works_is_not_missing),
		cmocka_unit_test(without_privileges_everything_that_needs_them_is_missing),
		cmocka_unit_test(a_kernel_without_netfilter_is_known),
	};

	if (!fixture_enter())
		return 0;
	return cmocka_run_group_tests_name("probe", tests, NULL, NULL);
}
