/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The SYN-ACK that ingress makes of a SYN: byte for byte what segment_build() makes of the same answer. */
#include "fixture.h"

#include "checksum.h"
#include "cookie_fixture.h"
#include "ip.h"

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
		.window = (options.has_timestamps ? COOKIE_WINDOW_TS : COOKIE_WINDOW) +
			  !addr_is_v4(&tuple.local.addr),
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
	assert_linux_answer(V4_LOCAL, V4_REMOTE, COOKIE_MSS_V4, 5);
}

static void answers_the_syn_of_linux_over_ipv6(void **state)
{
	(void)state;
	cookie_enable(NOL_ANSWER_PLAIN);
	assert_linux_answer(V6_LOCAL, V6_REMOTE, COOKIE_MSS_V6, 5);
}

static void holds_every_syn_while_cookies_are_off(void **state)
{
	struct segment syn = syn_with(V4_LOCAL, V4_REMOTE, linux_options);

	(void)state;
	cookie_enable(NOL_ANSWER_NONE);
	assert_left_to_the_engine(&syn);
}

/* What comes back of options that are not Linux's: the TSval's low bits say the rest. */
static void assert_layout(struct tcp_options offered, struct tcp_options answered,
			  unsigned int mss_class)
{
	struct segment syn = syn_with(V4_LOCAL, V4_REMOTE, offered);
	struct sent sent;

	cookie_enable(NOL_ANSWER_ALL);
	sent = answer_to(&syn);
	assert_answer(&syn, &sent, answered, mss_class);
}

static void answers_without_options_by_the_mss_alone(void **state)
{
	(void)state;
	assert_layout((struct tcp_options){0},
		      (struct tcp_options){.has_mss = true, .mss = COOKIE_MSS_V4}, 0);
}

static void answers_without_timestamps_by_the_mss_alone(void **state)
{
	struct tcp_options offered = linux_options;

	(void)state;
	offered.has_timestamps = false;
	assert_layout(offered, (struct tcp_options){.has_mss = true, .mss = COOKIE_MSS_V4}, 5);
}

static void leaves_to_the_engine_what_would_lose_options(void **state)
{
	struct segment syn = syn_with(V4_LOCAL, V4_REMOTE, linux_options);

	(void)state;
	syn.options.has_timestamps = false;
	cookie_enable(NOL_ANSWER_PLAIN);
	assert_left_to_the_engine(&syn);
}

static void leaves_an_mss_between_the_classes_to_the_engine(void **state)
{
	struct segment syn = syn_with(V4_LOCAL, V4_REMOTE, linux_options);

	(void)state;
	syn.options.mss = 700;
	cookie_enable(NOL_ANSWER_PLAIN);
	assert_left_to_the_engine(&syn);
}

static void answers_timestamps_alone(void **state)
{
	struct tcp_options offered = {
		.has_mss = true, .mss = 1400, .has_timestamps = true, .tsval = 5};
	struct tcp_options answered = offered;

	(void)state;
	answered.mss = COOKIE_MSS_V4;
	answered.tsecr = 5;
	assert_layout(offered, answered, 3);
}

static void answers_window_scale_without_sack(void **state)
{
	struct tcp_options offered = linux_options, answered = linux_options;

	(void)state;
	offered.has_sack_permitted = answered.has_sack_permitted = false;
	answered.tsecr = offered.tsval;
	answered.wscale = COOKIE_WSCALE;
	assert_layout(offered, answered, 5);
}

/* MSS 1460, NOP, window scale 6, NOP, NOP, timestamps 9, SACK-permitted, end: as macOS and iOS send it. */
static const uint8_t apple_options[24] = {2, 4, 0x05, 0xb4, 1, 3, 3, 6, 1, 1, 8, 10,
					  0, 0, 0,    9,    0, 0, 0, 0, 4, 2, 0, 0};

static void build_apple(struct frame *frame)
{
	struct segment syn = syn_with(V4_LOCAL, V4_REMOTE, (struct tcp_options){0});

	frame_build(frame, &syn);
	frame_insert(frame, frame->len, apple_options, sizeof(apple_options));
	frame->bytes[FIXTURE_ETHERNET + 32] = 11 << 4;
	ip_seal(frame->bytes + FIXTURE_ETHERNET, 20, frame->len - FIXTURE_ETHERNET);
}

static void answers_options_in_any_order(void **state)
{
	struct segment syn = syn_with(V4_LOCAL, V4_REMOTE, (struct tcp_options){0});
	struct tcp_options answered = linux_options;
	struct frame frame;
	struct sent sent;

	(void)state;
	cookie_enable(NOL_ANSWER_PLAIN);
	build_apple(&frame);
	assert_int_equal(run_answer(&frame, &sent), XDP_TX);
	answered.tsecr = 9;
	answered.wscale = COOKIE_WSCALE;
	assert_answer(&syn, &sent, answered, 5);
	assert_int_equal(parse_sent(&sent).options.tsval & NOL_COOKIE_TS_BITS,
			 6 | NOL_COOKIE_TS_SACK);
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
	assert_answer(&syn, &sent, (struct tcp_options){.has_mss = true, .mss = COOKIE_MSS_V4}, 0);
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

static void never_sends_a_tsval_ahead_of_its_clock(void **state)
{
	struct segment syn = syn_with(V4_LOCAL, V4_REMOTE, linux_options);

	(void)state;
	cookie_enable(NOL_ANSWER_PLAIN);
	for (uint32_t i = 0; i <= NOL_COOKIE_TS_BITS; i++) {
		struct sent sent;
		uint32_t clock;

		kern_cookie(kern)->ts_offset = COOKIE_TS_OFFSET + i;
		sent = answer_to(&syn);
		clock = (uint32_t)(clock_monotonic_ns() >> NOL_COOKIE_TS_SHIFT) + COOKIE_TS_OFFSET +
			i;
		assert_in_range(clock - parse_sent(&sent).options.tsval, 0, 1000);
	}
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

static void leaves_a_syn_with_fin_to_the_engine(void **state)
{
	struct segment syn = syn_with(V4_LOCAL, V4_REMOTE, linux_options);

	(void)state;
	syn.flags = TCP_SYN | TCP_FIN;
	cookie_enable(NOL_ANSWER_ALL);
	assert_left_to_the_engine(&syn);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(answers_without_options_by_the_mss_alone),
		fixture_test(answers_without_timestamps_by_the_mss_alone),
		fixture_test(leaves_to_the_engine_what_would_lose_options),
		fixture_test(leaves_an_mss_between_the_classes_to_the_engine),
		fixture_test(answers_timestamps_alone),
		fixture_test(answers_window_scale_without_sack),
		fixture_test(answers_options_in_any_order),
		fixture_test(takes_padding_off),
		fixture_test(declines_ecn),
		fixture_test(never_sends_a_tsval_ahead_of_its_clock),
		fixture_test(accepts_a_checksum_that_the_device_was_to_finish),
		fixture_test(leaves_a_bad_checksum_to_the_engine),
		fixture_test(leaves_data_on_a_syn_to_the_engine),
		fixture_test(leaves_a_tiny_mss_to_the_engine),
		fixture_test(ignores_psh_and_urg_where_it_answers_all),
		fixture_test(leaves_a_syn_with_fin_to_the_engine),
		fixture_test(leaves_the_syn_of_a_known_flow_to_the_engine),
		fixture_test(answers_the_syn_of_linux),
		fixture_test(answers_the_syn_of_linux_over_ipv6),
		fixture_test(holds_every_syn_while_cookies_are_off),
	};

	if (!fixture_enter())
		return 0;
	return cmocka_run_group_tests_name("answer", tests, NULL, NULL);
}
