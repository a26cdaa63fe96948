/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The SYN-ACK that ingress makes of a SYN: byte for byte what segment_build() makes of the same answer. */
#include "answer_fixture.h"

#define FLAGS_AT (14 + 20 + 13) /* of a segment in IPv4 without options */

static void assert_linux_answer(const char *local, const char *remote, uint16_t mss)
{
	struct segment syn = syn_with(local, remote, linux_options);
	struct sent sent = answer_to(&syn);

	assert_answer(&syn, &sent, answer_with_all(&linux_options, mss), mss);
	assert_only_counted(cookie_sent);
}

static void answers_the_syn_of_linux(void **state)
{
	(void)state;
	cookie_enable(NOL_ANSWER_PLAIN);
	assert_linux_answer(V4_LOCAL, V4_REMOTE, COOKIE_MSS_V4);
}

/* 1460 is more than our own MSS, and is not told apart from it. */
static void answers_the_syn_of_linux_over_ipv6(void **state)
{
	(void)state;
	cookie_enable(NOL_ANSWER_PLAIN);
	assert_linux_answer(V6_LOCAL, V6_REMOTE, COOKIE_MSS_V6);
}

static void holds_every_syn_while_cookies_are_off(void **state)
{
	struct segment syn = syn_with(V4_LOCAL, V4_REMOTE, linux_options);

	(void)state;
	cookie_enable(NOL_ANSWER_NONE);
	assert_left_to_the_engine(&syn);
}

static void takes_padding_off(void **state)
{
	struct segment syn = syn_with(V4_LOCAL, V4_REMOTE, (struct tcp_options){0});
	struct frame frame;
	struct sent sent;

	(void)state;
	cookie_enable(NOL_ANSWER_PLAIN);
	frame_build(&frame, &syn);
	frame.len = 60;
	assert_int_equal(run_answer(&frame, &sent), XDP_TX);
	assert_answer(&syn, &sent, (struct tcp_options){.has_mss = true, .mss = COOKIE_MSS_V4},
		      536);
}

static void declines_ecn(void **state)
{
	struct segment syn = syn_with(V4_LOCAL, V4_REMOTE, linux_options);
	struct sent sent;

	(void)state;
	syn.flags |= TCP_ECE | TCP_CWR;
	cookie_enable(NOL_ANSWER_PLAIN);
	sent = answer_to(&syn);
	assert_int_equal(parse_sent(&sent).flags, TCP_SYN | TCP_ACK);
}

static void accepts_a_checksum_that_the_device_was_to_finish(void **state)
{
	struct segment syn = syn_with(V4_LOCAL, V4_REMOTE, linux_options);
	uint16_t partial =
		checksum_fold(checksum_pseudo(&syn.tuple.local.addr, &syn.tuple.remote.addr, 40));
	struct frame frame;
	struct sent sent;

	(void)state;
	cookie_enable(NOL_ANSWER_PLAIN);
	frame_build(&frame, &syn);
	frame.bytes[FIXTURE_ETHERNET + 36] = (uint8_t)(partial >> 8);
	frame.bytes[FIXTURE_ETHERNET + 37] = (uint8_t)partial;
	assert_int_equal(run_answer(&frame, &sent), XDP_TX);
	parse_sent(&sent);
}

static void leaves_a_bad_checksum_to_the_engine(void **state)
{
	struct segment syn = syn_with(V4_LOCAL, V4_REMOTE, linux_options);
	struct frame frame;

	(void)state;
	cookie_enable(NOL_ANSWER_ALL);
	frame_build(&frame, &syn);
	frame.bytes[FIXTURE_ETHERNET + 36] ^= 1;
	assert_int_equal(run_ingress(&frame), XDP_DROP);
	assert_held(&frame, NOL_HOLD_SYN);
}

/* On the short way and on the general one. */
static void leaves_a_bad_checksum_of_ip_to_the_engine(void **state)
{
	static const struct tcp_options bare;
	const struct tcp_options *const offered[] = {&linux_options, &bare};

	(void)state;
	cookie_enable(NOL_ANSWER_ALL);
	for (size_t i = 0; i < 2; i++) {
		struct segment syn = syn_with(V4_LOCAL, V4_REMOTE, *offered[i]);
		struct frame frame;

		frame_build(&frame, &syn);
		frame.bytes[FIXTURE_ETHERNET + 10] ^= 1;
		assert_int_equal(run_ingress(&frame), XDP_DROP);
		assert_held(&frame, NOL_HOLD_SYN);
	}
}

static void leaves_data_on_a_syn_to_the_engine(void **state)
{
	struct segment syn = syn_with(V4_LOCAL, V4_REMOTE, linux_options);

	(void)state;
	syn.payload = (const uint8_t *)"early";
	syn.payload_len = 5;
	cookie_enable(NOL_ANSWER_ALL);
	assert_left_to_the_engine(&syn);
}

static void leaves_a_tiny_mss_to_the_engine(void **state)
{
	struct segment syn = syn_with(V4_LOCAL, V4_REMOTE, linux_options);

	(void)state;
	syn.options.mss = 535;
	cookie_enable(NOL_ANSWER_ALL);
	assert_left_to_the_engine(&syn);
}

static void ignores_psh_and_urg_where_it_answers_all(void **state)
{
	struct segment syn = syn_with(V4_LOCAL, V4_REMOTE, linux_options);
	struct sent sent;

	(void)state;
	syn.flags = TCP_SYN | TCP_PSH | TCP_URG;
	cookie_enable(NOL_ANSWER_ALL);
	sent = answer_to(&syn);
	assert_int_equal(parse_sent(&sent).flags, TCP_SYN | TCP_ACK);
}

static void ignores_a_syn_with_fin(void **state)
{
	struct segment syn = syn_with(V4_LOCAL, V4_REMOTE, linux_options);
	struct frame frame;

	(void)state;
	syn.flags = TCP_SYN | TCP_FIN;
	cookie_enable(NOL_ANSWER_ALL);
	frame_build(&frame, &syn);
	assert_int_equal(run_ingress(&frame), XDP_DROP);
	assert_nothing_held();
	assert_only_counted(stray_ignored);
}

/* Two hosts that answer each other's SYN-ACKs would never stop. */
static void answers_nothing_that_only_has_the_options_of_a_syn(void **state)
{
	static const uint8_t others[] = {0, TCP_ACK, TCP_SYN | TCP_ACK, TCP_SYN | TCP_RST,
					 TCP_ACK | TCP_PSH};

	(void)state;
	cookie_enable(NOL_ANSWER_ALL);
	for (size_t i = 0; i < sizeof(others); i++) {
		struct segment segment = syn_with(V4_LOCAL, V4_REMOTE, linux_options);
		struct frame frame;
		struct sent sent;

		segment.flags = others[i];
		frame_build(&frame, &segment);
		if (run_answer(&frame, &sent) == XDP_TX)
			assert_true(sent.bytes[FLAGS_AT] & TCP_RST);
		assert_nothing_held();
	}
}

static void leaves_the_syn_of_a_known_flow_to_the_engine(void **state)
{
	struct segment syn = syn_with(V4_LOCAL, V4_REMOTE, linux_options);
	struct frame frame;

	(void)state;
	cookie_enable(NOL_ANSWER_ALL);
	add_flow(V4_LOCAL, V4_REMOTE, NOL_FLOW_CLOSED);
	frame_build(&frame, &syn);
	assert_int_equal(run_ingress(&frame), XDP_DROP);
	assert_held(&frame, NOL_HOLD_SYN);
}

/* What the program sends in a test run goes nowhere: it is given back. */
static void gives_back_the_answer_to_a_syn_that_has_waited(void **state)
{
	struct segment syn = syn_with(V4_LOCAL, V4_REMOTE, linux_options);
	struct kern_rerun rerun;
	struct frame frame;
	struct sent sent;

	(void)state;
	cookie_enable(NOL_ANSWER_PLAIN);
	frame_build(&frame, &syn);
	assert_int_equal(kern_rerun(kern, frame.bytes, frame.len, &rerun), 0);
	assert_false(rerun.is_passed);
	sent.len = rerun.answer_len;
	memcpy(sent.bytes, rerun.answer, rerun.answer_len);
	assert_answer(&syn, &sent, answer_with_all(&linux_options, COOKIE_MSS_V4), COOKIE_MSS_V4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(takes_padding_off),
		fixture_test(declines_ecn),
		fixture_test(accepts_a_checksum_that_the_device_was_to_finish),
		fixture_test(leaves_a_bad_checksum_to_the_engine),
		fixture_test(leaves_a_bad_checksum_of_ip_to_the_engine),
		fixture_test(leaves_data_on_a_syn_to_the_engine),
		fixture_test(leaves_a_tiny_mss_to_the_engine),
		fixture_test(ignores_psh_and_urg_where_it_answers_all),
		fixture_test(ignores_a_syn_with_fin),
		fixture_test(answers_nothing_that_only_has_the_options_of_a_syn),
		fixture_test(leaves_the_syn_of_a_known_flow_to_the_engine),
		fixture_test(answers_the_syn_of_linux),
		fixture_test(answers_the_syn_of_linux_over_ipv6),
		fixture_test(holds_every_syn_while_cookies_are_off),
		fixture_test(gives_back_the_answer_to_a_syn_that_has_waited),
	};

	if (!fixture_enter())
		return 0;
	return cmocka_run_group_tests_name("answer", tests, NULL, NULL);
}
