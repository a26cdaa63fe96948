/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Connect-back, on the way out: the socket's ACK of the SYN-ACK that was made for it goes nowhere, and no other does. */
#include "back_fixture.h"

#define LET_GO (-1)
#define NOWHERE 7 /* TC_ACT_REDIRECT, to no interface */

static struct segment ack_of(const char *local, const char *remote)
{
	return (struct segment){
		.tuple = tuple_of(local, remote),
		.seq = ISS + 1,
		.ack = ISN + 1,
		.flags = TCP_ACK,
		.window = 502,
		.options = {.has_timestamps = true, .tsval = LOCAL_TSVAL, .tsecr = TSVAL},
	};
}

static int verdict_on(const struct segment *segment, uint32_t mark)
{
	struct frame frame;

	frame_build(&frame, segment);
	return run_egress(&frame, mark);
}

static void the_first_ack_goes_nowhere(void **state)
{
	const struct segment ack = ack_of(V4_LOCAL, V4_REMOTE);

	(void)state;
	add_back(V4_LOCAL, V4_REMOTE, ALL);
	assert_int_equal(verdict_on(&ack, 0), NOWHERE);
	assert_only_counted(back_first_ack);
}

static void the_first_ack_goes_nowhere_over_ipv6(void **state)
{
	const struct segment ack = ack_of(V6_LOCAL, V6_REMOTE);

	(void)state;
	add_back(V6_LOCAL, V6_REMOTE, ALL);
	assert_int_equal(verdict_on(&ack, 0), NOWHERE);
}

static void the_engines_own_is_let_go(void **state)
{
	const struct segment ack = ack_of(V4_LOCAL, V4_REMOTE);

	(void)state;
	add_back(V4_LOCAL, V4_REMOTE, ALL);
	assert_int_equal(verdict_on(&ack, NOL_MARK), LET_GO);
}

static void data_is_let_go(void **state)
{
	struct segment ack = ack_of(V4_LOCAL, V4_REMOTE);

	(void)state;
	add_back(V4_LOCAL, V4_REMOTE, ALL);
	ack.payload = (const uint8_t *)"data";
	ack.payload_len = 4;
	assert_int_equal(verdict_on(&ack, 0), LET_GO);
}

static void an_ack_of_something_else_is_let_go(void **state)
{
	struct segment ack = ack_of(V4_LOCAL, V4_REMOTE);

	(void)state;
	add_back(V4_LOCAL, V4_REMOTE, ALL);
	ack.ack++;
	assert_int_equal(verdict_on(&ack, 0), LET_GO);
	ack.ack--;
	ack.seq++;
	assert_int_equal(verdict_on(&ack, 0), LET_GO);
	ack.seq--;
	ack.flags |= TCP_FIN;
	assert_int_equal(verdict_on(&ack, 0), LET_GO);
}

static void the_ack_of_another_connection_is_let_go(void **state)
{
	const struct segment ack = ack_of(V4_LOCAL, V4_REMOTE);

	(void)state;
	assert_int_equal(verdict_on(&ack, 0), LET_GO);
}

#define back_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		back_test(the_first_ack_goes_nowhere),
		back_test(the_first_ack_goes_nowhere_over_ipv6),
		back_test(the_engines_own_is_let_go),
		back_test(data_is_let_go),
		back_test(an_ack_of_something_else_is_let_go),
		back_test(the_ack_of_another_connection_is_let_go),
	};

	if (!fixture_enter())
		return 0;
	return cmocka_run_group_tests_name("back ack", tests, NULL, NULL);
}
