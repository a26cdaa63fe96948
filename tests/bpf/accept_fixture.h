/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Method accept: a SYN, and what TC ingress makes of it. */
#ifndef NOLISTEN_TESTS_ACCEPT_FIXTURE_H
#define NOLISTEN_TESTS_ACCEPT_FIXTURE_H

#include "fixture.h"

#include "cookie_fixture.h"

#define ISN 0x12345678u

/* Verdicts of TC. */
#define NEXT (-1)
#define DROPPED 2
#define REDIRECTED 7

static inline int accept_setup(void **state)
{
	struct kern_options options = fixture_options();

	(void)state;
	options.accepts = true;
	fixture_open(&options);
	cookie_enable(NOL_ANSWER_ALL);
	return 0;
}

#define accept_test(f) cmocka_unit_test_setup_teardown(f, accept_setup, fixture_teardown)

/* The verdict of a program; the frame becomes what it has made of it. */
static inline int run_on(const struct bpf_program *program, struct frame *frame)
{
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame->bytes, .data_size_in = frame->len,
		    .data_out = frame->bytes, .data_size_out = sizeof(frame->bytes));

	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(program), &run), 0);
	frame->len = run.data_size_out;
	return (int)run.retval;
}

static inline int run_tc(struct frame *frame)
{
	return run_on(kern->skel->progs.nol_tc_ingress, frame);
}

static const struct tcp_options linux_options = {
	.has_mss = true,
	.mss = 1460,
	.has_sack_permitted = true,
	.has_timestamps = true,
	.tsval = 77,
	.has_wscale = true,
	.wscale = 7,
};

static inline struct frame syn_with(const char *local, const char *remote,
				    struct tcp_options options)
{
	const struct segment segment = {
		.tuple = tuple_of(remote, local),
		.seq = ISN,
		.flags = TCP_SYN,
		.window = 64240,
		.options = options,
	};
	struct frame frame;

	frame_build(&frame, &segment);
	return frame;
}

static inline struct segment parsed(const struct frame *frame)
{
	struct segment segment;

	assert_int_equal(segment_parse(frame->bytes + FIXTURE_ETHERNET,
				       frame->len - FIXTURE_ETHERNET, &segment),
			 SEGMENT_OK);
	return segment;
}

#endif
