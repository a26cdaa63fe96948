/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A SYN through the real program, and what its SYN-ACK has to be: what segment_build() makes of the same answer. */
#ifndef NOLISTEN_TESTS_ANSWER_FIXTURE_H
#define NOLISTEN_TESTS_ANSWER_FIXTURE_H

#include "fixture.h"

#include "checksum.h"
#include "cookie_fixture.h"

#define ISN 0x12345678u

struct sent {
	uint8_t bytes[256];
	size_t len;
};

static inline int run_answer(const struct frame *frame, struct sent *sent)
{
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame->bytes, .data_size_in = frame->len,
		    .data_out = sent->bytes, .data_size_out = sizeof(sent->bytes));
	int fd = bpf_program__fd(kern->skel->progs.nol_xdp_ingress);

	assert_int_equal(bpf_prog_test_run_opts(fd, &run), 0);
	sent->len = run.data_size_out;
	return run.retval;
}

static inline struct segment syn_with(const char *local, const char *remote,
				      struct tcp_options options)
{
	return (struct segment){
		.tuple = tuple_of(remote, local), /* as the sender sees it */
		.seq = ISN,
		.flags = TCP_SYN,
		.window = 64240,
		.options = options,
	};
}

static inline struct segment parse_sent(const struct sent *sent)
{
	struct segment segment;

	assert_int_equal(segment_parse(sent->bytes + FIXTURE_ETHERNET, sent->len - FIXTURE_ETHERNET,
				       &segment),
			 SEGMENT_OK);
	assert_int_equal(segment.checksum, CHECKSUM_VALID);
	return segment;
}

/* What the cookie says of a SYN whose MSS is in this class. */
static inline uint32_t code_of(const struct tuple *tuple, const struct tcp_options *offered,
			       uint16_t mss)
{
	return cookie_code(tuple, mss, offered->has_wscale ? offered->wscale : NOL_COOKIE_NO_WSCALE,
			   offered->has_sack_permitted);
}

/* The clock that the TSval was made by: between the time at which the test began and now, but for a jiffy. */
static inline void assert_tsval(const struct tuple *tuple, uint32_t tsval)
{
	const uint32_t made_ms = tsval - cookie_ts_offset(tuple, ISN, kern_cookie(kern)->slot);

	assert_in_range(cookie_now_ms() - made_ms, 0, 10000);
}

/* What is expected, with the TSval that came. code: of the cookie. */
static inline void assert_answer_with(const struct segment *syn, const struct sent *sent,
				      struct tcp_options options, uint32_t code)
{
	struct tuple tuple = {.local = syn->tuple.remote, .remote = syn->tuple.local};
	struct segment came = parse_sent(sent);
	struct segment expected = {
		.tuple = tuple,
		.seq = cookie_expected(&tuple, ISN, kern_cookie(kern)->slot, code),
		.ack = ISN + 1,
		.flags = TCP_SYN | TCP_ACK | (came.flags & TCP_ECE),
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
	if (options.has_timestamps)
		assert_tsval(&tuple, came.options.tsval);
}

static inline void assert_answer(const struct segment *syn, const struct sent *sent,
				 struct tcp_options options, uint16_t mss)
{
	struct tuple tuple = {.local = syn->tuple.remote, .remote = syn->tuple.local};

	assert_answer_with(syn, sent, options, code_of(&tuple, &syn->options, mss));
}

static inline struct sent answer_to(const struct segment *syn)
{
	struct frame frame;
	struct sent sent;

	frame_build(&frame, syn);
	assert_int_equal(run_answer(&frame, &sent), XDP_TX);
	assert_nothing_held();
	return sent;
}

static inline void assert_left_to_the_engine(const struct segment *syn)
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

/* All that was offered, with our MSS and our shift count. */
static inline struct tcp_options answer_with_all(const struct tcp_options *offered, uint16_t mss)
{
	struct tcp_options options = *offered;

	options.has_mss = true;
	options.mss = mss;
	options.wscale = COOKIE_WSCALE;
	options.tsecr = offered->tsval;
	return options;
}

#endif
