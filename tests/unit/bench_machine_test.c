/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the benchmark says of the machine. */
#include <string.h>

#include "cmocka_setup.h"

#include "machine.h"

/* Nothing to complain of. */
static const struct machine quiet = {
	.has_two_cpus = true,
	.syscall_ns = 90,
	.wakeup_us = 3,
	.drift_pct = 1,
	.others_pct = 0.5,
	.load = 0.1,
};

static void reads_the_ticks_of_all_cpus(void **state)
{
	struct machine_ticks ticks;

	(void)state;
	assert_true(machine_parse_ticks("cpu  100 1 50 1000 20 3 4 7 90 0\n", &ticks));
	assert_int_equal(ticks.total, 1185);
	assert_int_equal(ticks.busy, 158);
	assert_int_equal(ticks.stolen, 7);
	assert_false(machine_parse_ticks("cpu0 100 1 50 1000 20 3 4 7 90 0\n", &ticks));
	assert_false(machine_parse_ticks("intr 1\n", &ticks));
}

static void what_we_used_ourselves_is_not_others(void **state)
{
	const struct machine_ticks before = {1000, 500, 10}, after = {1200, 560, 14};
	struct machine machine = {0};

	(void)state;
	machine_take_ticks(&machine, &before, &after, 40);
	assert_true(machine.stolen_pct == 2);
	assert_true(machine.others_pct == 10);
	machine_take_ticks(&machine, &before, &after, 61);
	assert_true(machine.others_pct == 0);
	machine.others_pct = 3;
	machine_take_ticks(&machine, &before, &before, 0);
	assert_true(machine.others_pct == 3);
}

static void the_spread_leaves_out_the_outermost_tenths(void **state)
{
	double values[] = {1000, 100, 101, 102, 103, 104, 105, 106, 107, 1};

	(void)state;
	assert_true(machine_spread_pct(values, 10) == 7 * 100 / 104.0);
	assert_true(machine_spread_pct(values, 0) == 0);
}

static void names_the_hypervisor(void **state)
{
	struct machine machine = {0};

	(void)state;
	machine_name_hypervisor(&machine, "KVMKVMKVM");
	assert_string_equal(machine.hypervisor, "KVM");
	machine_name_hypervisor(&machine, "bhyve \033bhyve and more");
	assert_string_equal(machine.hypervisor, "bhyve ?bhyve an");
}

static void has_nothing_to_say_of_a_quiet_machine(void **state)
{
	char text[MACHINE_TEXT_SIZE];

	(void)state;
	assert_false(machine_warning(&quiet, 0, text));
	machine_describe(&quiet, text);
	assert_string_equal(text,
			    "no hypervisor, system call 90 ns, wake-up 3.0 us, busy loop varies by "
			    "1.0 %, stolen 0.0 %, others 0.5 %, load 0.10");
}

static void warns_of_each_thing_once(void **state)
{
	struct machine machine = quiet;
	char text[MACHINE_TEXT_SIZE];
	size_t count = 0;

	(void)state;
	machine.syscall_ns = 1050;
	machine.others_pct = 31;
	assert_true(machine_warning(&machine, 0, text));
	assert_non_null(strstr(text, "1050 ns"));
	assert_true(machine_warning(&machine, 1, text));
	assert_non_null(strstr(text, "31 % of the CPUs"));
	assert_false(machine_warning(&machine, 2, text));
	machine = (struct machine){.is_virtual = true,
				   .syscall_ns = 1e4,
				   .wakeup_us = 1e3,
				   .drift_pct = 50,
				   .stolen_pct = 50,
				   .others_pct = 50,
				   .load = 9};
	while (machine_warning(&machine, count, text))
		count++;
	assert_int_equal(count, MACHINE_WARNINGS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_the_ticks_of_all_cpus),
		cmocka_unit_test(what_we_used_ourselves_is_not_others),
		cmocka_unit_test(the_spread_leaves_out_the_outermost_tenths),
		cmocka_unit_test(names_the_hypervisor),
		cmocka_unit_test(has_nothing_to_say_of_a_quiet_machine),
		cmocka_unit_test(warns_of_each_thing_once),
	};

	return cmocka_run_group_tests_name("bench machine", tests, NULL, NULL);
}
