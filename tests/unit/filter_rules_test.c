/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The filter guard's rules, as text. */
#include <stdlib.h>
#include <string.h>

#include "cmocka_setup.h"

#include "filter_rules.h"

static void guards_no_flow_of_a_family_without_remotes(void **state)
{
	struct prefix prefix;
	const struct lease_guard_options options = {
		.ifname = "eth0", .mode = NOL_GUARD_PORTS, .remotes = &prefix, .remote_count = 1};
	char *text;

	(void)state;
	assert_true(prefix_parse("10.0.0.0/8", &prefix));
	text = filter_rules_table("t", &options, "80");
	assert_non_null(strstr(text, "set remotes_v4 { type ipv4_addr; flags interval; auto-merge; "
				     "elements = { 10.0.0.0/8 }; }"));
	assert_non_null(strstr(text, "jump arrived_v4"));
	assert_null(strstr(text, "_v6"));
	free(text);
}

static void belongs_to_the_process(void **state)
{
	const struct lease_guard_options options = {
		.ifname = "eth0", .mode = NOL_GUARD_FLOWS, .expiry_s = 7, .max_leases = 9};
	char *text = filter_rules_table("t", &options, NULL);

	(void)state;
	assert_non_null(strstr(text, "table inet t {\nflags owner\n"));
	assert_non_null(strstr(text, "timeout 7s; size 9; }"));
	assert_null(strstr(text, "@ports"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(guards_no_flow_of_a_family_without_remotes),
		cmocka_unit_test(belongs_to_the_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
