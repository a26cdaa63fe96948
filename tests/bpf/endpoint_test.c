/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What of a narrowed port is answered: by XDP, by TC, and by the guard, which lets the kernel's RSTs of the rest go. */
#include "accept_fixture.h"

#define PORT 34567
#define V4_OTHER "10.0.0.3:34567"

static void narrow(void)
{
	struct port_set ports = {0};

	port_set_add(&ports, PORT);
	kern_narrow_ports(kern, &ports);
}

static void tell(const char *text, bool is_v6only)
{
	const struct nol_endpoint endpoint = {.is_v6only = is_v6only};
	struct prefix prefix;

	assert_true(prefix_parse(text, &prefix));
	assert_int_equal(kern_set_endpoint(kern, &prefix, PORT, &endpoint), 0);
}

static void forget(const char *text)
{
	struct prefix prefix;

	assert_true(prefix_parse(text, &prefix));
	assert_int_equal(kern_remove_endpoint(kern, &prefix, PORT), 0);
}

/* Of a SYN at TC, and at XDP. */
static void assert_answered(const char *local, const char *remote, bool is_answered)
{
	struct frame frame = syn_with(local, remote, linux_options);

	assert_int_equal(run_ingress(&frame), is_answered ? XDP_TX : XDP_PASS);
	spare_clear_stats(kern);
	assert_int_equal(run_tc(&frame), is_answered ? REDIRECTED : NEXT);
	if (is_answered)
		assert_only_counted(cookie_sent);
	else
		assert_only_counted(ingress_not_answered);
	spare_clear_stats(kern);
}

static void answers_nothing_of_a_narrowed_port_of_which_nobody_has_said_anything(void **state)
{
	(void)state;
	assert_answered(V4_LOCAL, V4_REMOTE, true);
	narrow();
	assert_answered(V4_LOCAL, V4_REMOTE, false);
	assert_answered(V6_LOCAL, V6_REMOTE, false);
}

static void answers_the_address_that_was_said(void **state)
{
	(void)state;
	narrow();
	tell("10.0.0.2", false);
	assert_answered(V4_LOCAL, V4_REMOTE, true);
	assert_answered(V6_LOCAL, V6_REMOTE, false);
	forget("10.0.0.2");
	assert_answered(V4_LOCAL, V4_REMOTE, false);
}

static void takes_each_family_for_itself(void **state)
{
	(void)state;
	narrow();
	tell("0.0.0.0/0", false);
	assert_answered(V4_LOCAL, V4_REMOTE, true);
	assert_answered(V6_LOCAL, V6_REMOTE, false);
}

static void answers_both_families_for_any(void **state)
{
	(void)state;
	narrow();
	tell("::/0", false);
	assert_answered(V4_LOCAL, V4_REMOTE, true);
	assert_answered(V6_LOCAL, V6_REMOTE, true);
}

static void answers_no_ipv4_for_ipv6_alone(void **state)
{
	(void)state;
	narrow();
	tell("::/0", true);
	assert_answered(V4_LOCAL, V4_REMOTE, false);
	assert_answered(V6_LOCAL, V6_REMOTE, true);
	tell("10.0.0.2", false);
	assert_answered(V4_LOCAL, V4_REMOTE, true);
}

/* "Nobody has it" is the kernel's to say. */
static void lets_the_rst_of_the_rest_go(void **state)
{
	struct frame frame = frame_from(V4_LOCAL, V4_REMOTE, TCP_RST | TCP_ACK);

	(void)state;
	narrow();
	assert_int_equal(run_egress(&frame, 0), NEXT);
	assert_only_counted(rst_not_ours);
	spare_clear_stats(kern);
	tell("10.0.0.2", false);
	assert_int_equal(run_egress(&frame, 0), DROPPED);
}

static void holds_nothing_of_the_rest(void **state)
{
	struct frame frame = frame_from(V4_REMOTE, V4_LOCAL, TCP_SYN);

	(void)state;
	narrow();
	assert_int_equal(run_ingress(&frame), XDP_PASS);
	assert_only_counted(ingress_not_answered);
	spare_clear_stats(kern);
	tell("10.0.0.2", false);
	assert_int_equal(run_ingress(&frame), XDP_DROP);
	assert_only_counted(held_syn);
}

int main(void)
{
	const struct CMUnitTest held[] = {
		fixture_test(lets_the_rst_of_the_rest_go),
		fixture_test(holds_nothing_of_the_rest),
	};
	const struct CMUnitTest accepted[] = {
		accept_test(answers_nothing_of_a_narrowed_port_of_which_nobody_has_said_anything),
		accept_test(answers_the_address_that_was_said),
		accept_test(takes_each_family_for_itself),
		accept_test(answers_both_families_for_any),
		accept_test(answers_no_ipv4_for_ipv6_alone),
		fixture_test(lets_the_rst_of_the_rest_go),
		fixture_test(holds_nothing_of_the_rest),
	};

	if (!fixture_enter())
		return 0;
	if (!kern_can_accept())
		return cmocka_run_group_tests_name("endpoint", held, NULL, NULL);
	return cmocka_run_group_tests_name("endpoint", accepted, NULL, NULL);
}
