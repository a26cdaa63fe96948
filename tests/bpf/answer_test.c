/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The SYN-ACK that ingress makes of a SYN: byte for byte what segment_build() makes of the same answer. */
#include "fixture.h"

#include "cookie_fixture.h"

#define ISN 0x12345678u

struct sent {
	uint8_t bytes[256];
	size_t len;
};

static int run_answer(const struct frame *frame, struct sent *sent)
{
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame->bytes, .data_size_in = frame->len,
		    .data_out = sent->bytes, .data_size_out = sizeof(sent->bytes));
	int fd = bpf_program__fd(kern->skel->progs.nol_xdp_ingress);

	assert_int_equal(bpf_prog_test_run_opts(fd, &run), 0);
	sent->len = run.data_size_out;
	return run.retval;
}

static struct segment syn_with(const char *local, const char *remote, struct tcp_options options)
{
	return (struct segment){
		.tuple = tuple_of(remote, local), /* as the sender sees it */
		.seq = ISN,
		.flags = TCP_SYN,
		.window = 64240,
		.options = options,
	};
}

static struct segment parse_sent(const struct sent *sent)
{
	struct segment segment;

	assert_int_equal(segment_parse(sent->bytes + FIXTURE_ETHERNET, sent->len - FIXTURE_ETHERNET,
				       &segment),
			 SEGMENT_OK);
	assert_int_equal(segment.checksum, CHECKSUM_VALID);
	return segment;
}

/* What is expected, with the ISS and the TSval that came. */
static void assert_answer(const struct segment *syn, const struct sent *sent,
			  struct tcp_options options, unsigned int mss_class)
{
	struct tuple tuple = {.local = syn->tuple.remote, .remote = syn->tuple.local};
	struct segment came = parse_sent(sent);
	struct segment expected = {
		.tuple = tuple,
		.seq = cookie_expected(&tuple, ISN, kern_cookie(kern)->slot, mss_class),
		.ack = ISN + 1,
		.flags = TCP_SYN | TCP_ACK,
		.window = COOKIE_WINDOW,
		.options = options,
	};
	struct frame frame;

	expected.options.tsval = came.options.tsval;
	frame_build(&frame, &expected);
	memcpy(frame.bytes, (uint8_t[]){2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2}, 12);
	assert_int_equal(sent->len, frame.len);
	assert_memory_equal(sent->bytes, frame.bytes, frame.len);
}

static struct sent answer_to(const struct segment *syn)
{
	struct frame frame;
	struct sent sent;

	frame_build(&frame, syn);
	assert_int_equal(run_answer(&frame, &sent), XDP_TX);
	assert_nothing_held();
	return sent;
}

static void assert_left_to_the_engine(const struct segment *syn)
{
	struct frame frame;
	struct sent sent;

	frame_build(&frame, syn);
	assert_int_equal(run_answer(&frame, &sent), XDP_DROP);
	assert_held(&frame, NOL_HOLD_SYN);
	assert_only_counted(held_syn);
}

static const struct tcp_options linux_options = {
	.has_mss = true,
	.mss = 1460,
	.has_sack_permitted = true,
	.has_timestamps = true,
	.tsval = 0xaabbccdd,
	.has_wscale = true,
	.wscale = 7,
};

static void assert_linux_answer(const char *local, const char *remote, uint16_t mss,
				unsigned int mss_class)
{
	struct segment syn = syn_with(local, remote, linux_options);
	struct tcp_options options = linux_options;
	struct sent sent = answer_to(&syn);

	options.mss = mss;
	options.wscale = COOKIE_WSCALE;
	options.tsecr = linux_options.tsval;
	assert_answer(&syn, &sent, options, mss_class);
	assert_int_equal(parse_sent(&sent).options.tsval & NOL_COOKIE_TS_BITS,
			 7 | NOL_COOKIE_TS_SACK);
	assert_only_counted(cookie_sent);
}

static void answers_the_syn_of_linux(void **state)
{
	(void)state;
	cookie_enable(NOL_ANSWER_PLAIN);
	assert_linux_answer(V4_LOCAL, V4_REMOTE, COOKIE_MSS_V4, 6);
}

static void answers_the_syn_of_linux_over_ipv6(void **state)
{
	(void)state;
	cookie_enable(NOL_ANSWER_PLAIN);
	assert_linux_answer(V6_LOCAL, V6_REMOTE, COOKIE_MSS_V6, 6);
}

static void holds_every_syn_while_cookies_are_off(void **state)
{
	struct segment syn = syn_with(V4_LOCAL, V4_REMOTE, linux_options);

	(void)state;
	cookie_enable(NOL_ANSWER_NONE);
	assert_left_to_the_engine(&syn);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(answers_the_syn_of_linux),
		fixture_test(answers_the_syn_of_linux_over_ipv6),
		fixture_test(holds_every_syn_while_cookies_are_off),
	};

	if (!fixture_enter())
		return 0;
	return cmocka_run_group_tests_name("answer", tests, NULL, NULL);
}
