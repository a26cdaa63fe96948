/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Connect-back, on the way out: the SYN that becomes a SYN-ACK, byte by byte. Frames go from local to remote. */
#include "back_fixture.h"

#define LET_GO (-1)
#define DROPPED 2

/* The SYN of Linux, as the socket sends it; it asks for ECN too. */
static struct frame syn_of(const char *local, const char *remote)
{
	struct segment segment = {
		.tuple = tuple_of(local, remote),
		.seq = ISS,
		.flags = TCP_SYN | TCP_ECE | TCP_CWR,
		.window = 64240,
		.options = {.has_mss = true,
			    .mss = 1460,
			    .has_sack_permitted = true,
			    .has_timestamps = true,
			    .tsval = LOCAL_TSVAL,
			    .has_wscale = true,
			    .wscale = 10},
	};
	struct frame frame;

	frame_build(&frame, &segment);
	return frame;
}

static int turn_egress(struct frame *frame)
{
	return turn(kern->skel->progs.nol_tc_egress, frame);
}

static void assert_syn_ack(const struct frame *frame)
{
	struct segment segment = parsed(frame);

	assert_int_equal(segment.flags, TCP_SYN | TCP_ACK);
	assert_int_equal(segment.seq, ISS);
	assert_int_equal(segment.ack, ISN + 1);
	assert_int_equal(segment.window, 64240);
}

/* <mss 1460,sackOK,TS val 3333 ecr 7777,nop,wscale 10> */
static const uint8_t all_options[20] = {2,  4, 5, 0xb4, 4,    2,    8, 10, 0, 0,
					13, 5, 0, 0,	0x1e, 0x61, 1, 3,  3, 10};
/* <mss 1460,nop x 16> */
static const uint8_t mss_alone[20] = {2, 4, 5, 0xb4, 1, 1, 1, 1, 1, 1,
				      1, 1, 1, 1,    1, 1, 1, 1, 1, 1};

static void makes_a_syn_ack_of_the_syn(void **state)
{
	struct frame frame = syn_of(V4_LOCAL, V4_REMOTE);

	(void)state;
	add_back(V4_LOCAL, V4_REMOTE, ALL);
	assert_int_equal(turn_egress(&frame), LET_GO);
	assert_syn_ack(&frame);
	assert_options(&frame, all_options);
	assert_only_counted(back_syn_ack);
}

static void makes_a_syn_ack_of_the_syn_over_ipv6(void **state)
{
	struct frame frame = syn_of(V6_LOCAL, V6_REMOTE);

	(void)state;
	add_back(V6_LOCAL, V6_REMOTE, ALL);
	assert_int_equal(turn_egress(&frame), LET_GO);
	assert_syn_ack(&frame);
	assert_options(&frame, all_options);
}

static void leaves_out_what_the_remote_did_not_offer(void **state)
{
	struct frame frame = syn_of(V4_LOCAL, V4_REMOTE);

	(void)state;
	add_back(V4_LOCAL, V4_REMOTE, 0);
	assert_int_equal(turn_egress(&frame), LET_GO);
	assert_syn_ack(&frame);
	assert_options(&frame, mss_alone);
}

static void makes_a_syn_ack_for_every_combination_of_offers(void **state)
{
	(void)state;
	for (unsigned int offers = 0; offers <= ALL; offers++) {
		struct frame frame = syn_of(V6_LOCAL, V6_REMOTE);
		struct tcp_options options;

		add_back(V6_LOCAL, V6_REMOTE, (uint8_t)offers);
		assert_int_equal(turn_egress(&frame), LET_GO);
		assert_syn_ack(&frame);
		options = parsed(&frame).options;
		assert_true(options.has_mss);
		assert_int_equal(options.has_wscale, !!(offers & NOL_OFFER_WSCALE));
		assert_int_equal(options.has_sack_permitted, !!(offers & NOL_OFFER_SACK));
		assert_int_equal(options.has_timestamps, !!(offers & NOL_OFFER_TIMESTAMPS));
	}
}

static void notes_what_the_syn_ack_has_said(void **state)
{
	struct frame frame = syn_of(V4_LOCAL, V4_REMOTE);
	struct tuple tuple = tuple_of(V4_LOCAL, V4_REMOTE);
	struct nol_back back;

	(void)state;
	add_back(V4_LOCAL, V4_REMOTE, ALL & ~NOL_OFFER_SACK);
	assert_int_equal(turn_egress(&frame), LET_GO);
	assert_int_equal(kern_back_get(kern, &tuple, &back), 0);
	assert_int_equal(back.syn_acks, 1);
	assert_int_equal(back.first_tsval, LOCAL_TSVAL);
	assert_int_equal(back.last_tsval, LOCAL_TSVAL);
	assert_int_equal(back.local_offers, ALL & ~NOL_OFFER_SACK);
	assert_int_equal(back.local_mss, 1460);
	assert_int_equal(back.local_wscale, 10);
	assert_int_equal(back.local_window, 64240);
	assert_true(back.sent_ns > 1);
}

static void drops_a_syn_with_another_iss(void **state)
{
	struct frame frame = syn_of(V4_LOCAL, V4_REMOTE);

	(void)state;
	add_back(V4_LOCAL, V4_REMOTE, ALL);
	frame.bytes[FIXTURE_ETHERNET + 20 + 7]++;
	assert_int_equal(turn_egress(&frame), DROPPED);
	assert_only_counted(back_odd);
}

static void lets_the_syn_of_another_connect_go(void **state)
{
	struct frame frame = syn_of(V4_LOCAL, "10.0.0.1:80"), before = frame;

	(void)state;
	add_back(V4_LOCAL, V4_REMOTE, ALL);
	assert_int_equal(turn_egress(&frame), LET_GO);
	assert_memory_equal(frame.bytes, before.bytes, before.len);
}

#define back_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		back_test(makes_a_syn_ack_of_the_syn),
		back_test(makes_a_syn_ack_of_the_syn_over_ipv6),
		back_test(leaves_out_what_the_remote_did_not_offer),
		back_test(makes_a_syn_ack_for_every_combination_of_offers),
		back_test(notes_what_the_syn_ack_has_said),
		back_test(drops_a_syn_with_another_iss),
		back_test(lets_the_syn_of_another_connect_go),
	};

	if (!fixture_enter())
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
