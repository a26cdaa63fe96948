/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The guard on clsact, where there is no TCX: whose qdisc it is, and what a killed process leaves behind. */
#include "attach_fixture.h"

static void clsact_comes_and_goes(void **state)
{
	struct kern_options options = options_of("nolv0");

	(void)state;
	options.tc_mode = KERN_TC_CLSACT;
	open_on(options);
	assert_int_equal(kern_attach(kern), 0);
	assert_string_equal(kern_tc_mode_text(kern), "clsact");
	run("tc filter show dev nolv0 egress | grep -q nol_tc_egress");
	kern_detach(kern);
	assert_false(succeeds("tc qdisc show dev nolv0 | grep -q clsact"));
}

/* Any program of this type will do. */
static void add_other_filter(void)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = if_nametoindex("nolv0"),
		    .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, filter, .handle = 1, .priority = 1,
		    .prog_fd = bpf_program__fd(kern->skel->progs.nol_tc_egress));

	assert_int_equal(bpf_tc_attach(&hook, &filter), 0);
}

static void somebody_elses_clsact_and_filters_stay(void **state)
{
	struct kern_options options = options_of("nolv0");

	(void)state;
	options.tc_mode = KERN_TC_CLSACT;
	open_on(options);
	assert_int_equal(kern_attach(kern), 0);
	add_other_filter();
	kern_detach(kern);
	run("tc filter show dev nolv0 ingress | grep -q nol_tc_egress");
	assert_int_equal(kern_attach(kern), 0);
	run("tc filter del dev nolv0 ingress");
	kern_detach(kern);
	run("tc qdisc show dev nolv0 | grep -q clsact");
	assert_false(succeeds("tc filter show dev nolv0 egress | grep -q nol_tc_egress"));
}

static void replaces_the_filter_of_a_killed_process(void **state)
{
	struct kern_options options = options_of("nolv0");

	(void)state;
	options.tc_mode = KERN_TC_CLSACT;
	attach_and_die(&options);
	run("tc filter show dev nolv0 egress | grep -q nol_tc_egress");
	open_on(options);
	assert_int_equal(kern_attach(kern), 0);
	run("test $(tc filter show dev nolv0 egress | grep -c nol_tc_egress) = 1");
	kern_detach(kern);
	assert_false(succeeds("tc filter show dev nolv0 egress | grep -q nol_tc_egress"));
}

static bool has_clsact(void)
{
	return succeeds("tc qdisc show dev nolv0 | grep -q clsact");
}

static bool has_our_filter(void)
{
	return succeeds("tc filter show dev nolv0 egress | grep -q nol_tc_egress");
}

/* A loader is killed on clsact; the next one comes and goes. */
static void kill_one_and_open_the_next(enum kern_tc_mode next)
{
	struct kern_options options = options_of("nolv0");

	options.tc_mode = KERN_TC_CLSACT;
	attach_and_die(&options);
	assert_true(has_our_filter());
	options.tc_mode = next;
	open_on(options);
}

static void the_clsact_of_a_killed_process_goes_with_the_next(void **state)
{
	(void)state;
	kill_one_and_open_the_next(KERN_TC_CLSACT);
	assert_int_equal(kern_attach(kern), 0);
	kern_detach(kern);
	assert_false(has_clsact());
}

static void the_clsact_of_a_killed_process_goes_with_a_next_on_tcx(void **state)
{
	(void)state;
	kill_one_and_open_the_next(KERN_TC_AUTO);
	assert_int_equal(kern_attach(kern), 0);
	if (!strcmp(kern_tc_mode_text(kern), "tcx"))
		assert_false(has_clsact());
	kern_detach(kern);
	assert_false(has_clsact());
}

static void the_clsact_of_a_killed_process_stays_with_a_filter_of_others(void **state)
{
	(void)state;
	kill_one_and_open_the_next(KERN_TC_CLSACT);
	add_other_filter();
	assert_int_equal(kern_attach(kern), 0);
	kern_detach(kern);
	assert_true(has_clsact());
	assert_false(has_our_filter());
	run("tc filter show dev nolv0 ingress | grep -q nol_tc_egress");
}

/* Made by hand, for filters to come: not ours to remove, whoever was killed on it. */
static void an_empty_clsact_of_others_stays(void **state)
{
	(void)state;
	run("tc qdisc add dev nolv0 clsact");
	kill_one_and_open_the_next(KERN_TC_CLSACT);
	assert_int_equal(kern_attach(kern), 0);
	assert_true(has_our_filter());
	kern_detach(kern);
	assert_true(has_clsact());
	assert_false(has_our_filter());
}

/* Our qdisc, and our filter with it, was replaced under us by somebody's own. */
static void a_clsact_made_anew_by_others_stays(void **state)
{
	struct kern_options options = options_of("nolv0");

	(void)state;
	options.tc_mode = KERN_TC_CLSACT;
	open_on(options);
	assert_int_equal(kern_attach(kern), 0);
	run("tc qdisc del dev nolv0 clsact && tc qdisc add dev nolv0 clsact");
	kern_detach(kern);
	assert_true(has_clsact());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		veth_test(clsact_comes_and_goes),
		veth_test(somebody_elses_clsact_and_filters_stay),
		veth_test(replaces_the_filter_of_a_killed_process),
		veth_test(the_clsact_of_a_killed_process_goes_with_the_next),
		veth_test(the_clsact_of_a_killed_process_goes_with_a_next_on_tcx),
		veth_test(the_clsact_of_a_killed_process_stays_with_a_filter_of_others),
		veth_test(an_empty_clsact_of_others_stays),
		veth_test(a_clsact_made_anew_by_others_stays),
	};

	if (!fixture_enter())
		return 0;
	return cmocka_run_group_tests_name("clsact", tests, NULL, NULL);
}
