/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A SYN that carries what a socket without a key takes for a signature gets no cookie: the engine sees it, and drops it. */
#include "fixture.h"

#include "cookie_fixture.h"
#include "ip.h"

#define NOPS_8 1, 1, 1, 1, 1, 1, 1, 1

static void build(struct frame *frame, const uint8_t *options, size_t len)
{
	struct segment syn = {
		.tuple = tuple_of(V4_REMOTE, V4_LOCAL), /* as the sender sees it */
		.seq = 5,
		.flags = TCP_SYN,
		.window = 64240,
	};

	frame_build(frame, &syn);
	frame_insert(frame, frame->len, options, len);
	frame->bytes[FIXTURE_ETHERNET + 32] = (uint8_t)((20 + len) / 4 << 4);
	ip_seal(frame->bytes + FIXTURE_ETHERNET, 20, frame->len - FIXTURE_ETHERNET);
}

static void assert_held_with(const uint8_t *options, size_t len)
{
	struct frame frame;

	cookie_enable(NOL_ANSWER_ALL);
	build(&frame, options, len);
	assert_int_equal(run_ingress(&frame), XDP_DROP);
	assert_held(&frame, NOL_HOLD_SYN);
}

static void assert_answered_with(const uint8_t *options, size_t len)
{
	struct frame frame;

	cookie_enable(NOL_ANSWER_ALL);
	build(&frame, options, len);
	assert_int_equal(run_ingress(&frame), XDP_TX);
}

#define HELD(...) \
	assert_held_with((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))
#define ANSWERED(...) \
	assert_answered_with((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static void leaves_an_md5_signature_to_the_engine(void **state)
{
	(void)state;
	HELD(2, 4, 5, 180, 19, 18, NOPS_8, NOPS_8, 1, 1);
}

static void leaves_tcp_ao_to_the_engine(void **state)
{
	(void)state;
	HELD(29, 16, NOPS_8, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1);
}

static void leaves_disorder_to_the_engine_where_a_signature_may_be(void **state)
{
	(void)state;
	HELD(5, 0, NOPS_8, NOPS_8, 1, 1);
	HELD(5, 40, NOPS_8, NOPS_8, 1, 1);
}

static void answers_disorder_where_none_may_be(void **state)
{
	(void)state;
	ANSWERED(5, 0, NOPS_8, 1, 1, 1, 1, 1, 1);
	ANSWERED(0, 0, 0, 0, 19, 18, NOPS_8, NOPS_8, 1, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(leaves_an_md5_signature_to_the_engine),
		fixture_test(leaves_tcp_ao_to_the_engine),
		fixture_test(leaves_disorder_to_the_engine_where_a_signature_may_be),
		fixture_test(answers_disorder_where_none_may_be),
	};

	if (!fixture_enter())
		return 0;
	return cmocka_run_group_tests_name("signature", tests, NULL, NULL);
}
