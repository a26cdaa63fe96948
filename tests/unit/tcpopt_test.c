/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tcpopt.h"

#include <stdlib.h>
#include <string.h>

#include "cmocka_setup.h"

#define BYTES(...) ((const uint8_t[]){__VA_ARGS__}), sizeof((const uint8_t[]){__VA_ARGS__})

/* From a heap block of exactly that size, so that a read past the end is seen. */
static struct tcp_options parse(const uint8_t *bytes, size_t len, bool is_syn)
{
	struct tcp_options options;
	uint8_t *copy = malloc(len ? len : 1);

	assert_non_null(copy);
	memcpy(copy, bytes, len);
	memset(&options, 0xff, sizeof(options));
	tcpopt_parse(copy, len, is_syn, &options);
	free(copy);
	return options;
}

/* options [mss 1460,sackOK,TS val 1000 ecr 77,nop,wscale 7] */
static const uint8_t linux_syn[] = {0x02, 0x04, 0x05, 0xb4, 0x04, 0x02, 0x08, 0x0a, 0x00, 0x00,
				    0x03, 0xe8, 0x00, 0x00, 0x00, 0x4d, 0x01, 0x03, 0x03, 0x07};

static void reads_the_options_of_a_linux_syn(void **state)
{
	struct tcp_options options = parse(linux_syn, sizeof(linux_syn), true);

	(void)state;
	assert_true(options.has_mss);
	assert_int_equal(options.mss, 1460);
	assert_true(options.has_sack_permitted);
	assert_true(options.has_timestamps);
	assert_int_equal(options.tsval, 1000);
	assert_int_equal(options.tsecr, 77);
	assert_true(options.has_wscale);
	assert_int_equal(options.wscale, 7);
}

static void without_syn_only_timestamps_count(void **state)
{
	struct tcp_options options = parse(linux_syn, sizeof(linux_syn), false);

	(void)state;
	assert_false(options.has_mss || options.has_wscale || options.has_sack_permitted);
	assert_true(options.has_timestamps);
	assert_int_equal(options.tsval, 1000);
}

static void of_two_mss_options_the_last_wins(void **state)
{
	/* options [mss 1460,mss 1400] */
	struct tcp_options options = parse(BYTES(2, 4, 0x05, 0xb4, 2, 4, 0x05, 0x78), true);

	(void)state;
	assert_int_equal(options.mss, 1400);
}

static void an_mss_of_0_is_none(void **state)
{
	/* options [mss 0], then [mss 1460,mss 0] */
	struct tcp_options options = parse(BYTES(2, 4, 0, 0), true);

	(void)state;
	assert_false(options.has_mss);
	options = parse(BYTES(2, 4, 0x05, 0xb4, 2, 4, 0, 0), true);
	assert_true(options.has_mss);
	assert_int_equal(options.mss, 1460);
}

static void keeps_the_extremes_of_the_mss(void **state)
{
	/* options [mss 1], then [mss 65535] */
	struct tcp_options options = parse(BYTES(2, 4, 0, 1), true);

	(void)state;
	assert_int_equal(options.mss, 1);
	options = parse(BYTES(2, 4, 0xff, 0xff), true);
	assert_int_equal(options.mss, 65535);
}

static void end_of_list_ends_the_walk(void **state)
{
	/* options [nop,eol] and an MSS behind it */
	struct tcp_options options = parse(BYTES(1, 0, 2, 4, 0x05, 0xb4), true);

	(void)state;
	assert_false(options.has_mss);
}

static void a_window_scale_above_14_becomes_14(void **state)
{
	static const uint8_t scales[][2] = {{0, 0}, {14, 14}, {15, 14}, {255, 14}};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(scales) / sizeof(scales[0]); i++) {
		/* options [nop,wscale N] */
		struct tcp_options options = parse(BYTES(1, 3, 3, scales[i][0]), true);

		assert_true(options.has_wscale);
		assert_int_equal(options.wscale, scales[i][1]);
	}
}

static void an_impossible_length_ends_the_walk(void **state)
{
	static const uint8_t lengths[] = {0, 1, 9, 255};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lengths); i++) {
		/* options [wscale 7,unknown-99 with that length,mss 1460]: 4 + 4 bytes from the unknown on */
		struct tcp_options options =
			parse(BYTES(1, 3, 3, 7, 99, lengths[i], 1, 1, 2, 4, 0x05, 0xb4), true);

		assert_true(options.has_wscale);
		assert_false(options.has_mss);
	}
}

static void a_kind_without_its_length_ends_the_walk(void **state)
{
	/* options [nop,nop,nop] and a lone kind byte */
	struct tcp_options options = parse(BYTES(1, 1, 1, 4), true);

	(void)state;
	assert_false(options.has_sack_permitted);
}

static void a_wrong_length_for_the_kind_skips_the_option_only(void **state)
{
	/* mss of 3, wscale of 4, sackOK of 3, TS of 9, then [mss 1460] */
	struct tcp_options options = parse(
		BYTES(2, 3, 5, 3, 4, 7, 7, 4, 3, 0, 8, 9, 1, 2, 3, 4, 5, 6, 7, 2, 4, 0x05, 0xb4),
		true);

	(void)state;
	assert_false(options.has_wscale || options.has_sack_permitted || options.has_timestamps);
	assert_true(options.has_mss);
	assert_int_equal(options.mss, 1460);
}

static void unknown_options_are_stepped_over(void **state)
{
	/* options [tfo cookiereq,exp-253,md5 as 4 bytes,sackOK] */
	struct tcp_options options =
		parse(BYTES(34, 2, 253, 4, 0xf9, 0x89, 19, 4, 0, 0, 4, 2), true);

	(void)state;
	assert_true(options.has_sack_permitted);
}

static void no_bytes_are_no_options(void **state)
{
	static const struct tcp_options none;
	struct tcp_options options = parse((const uint8_t *)"", 0, true);

	(void)state;
	assert_memory_equal(&options, &none, sizeof(none));
}

static void assert_builds(struct tcp_options options, const uint8_t *bytes, size_t len)
{
	uint8_t out[TCPOPT_MAX_SIZE];

	assert_int_equal(tcpopt_build(&options, out), len);
	assert_memory_equal(out, bytes, len);
}

static void builds_the_layouts_of_linux(void **state)
{
	struct tcp_options all = {.has_mss = true,
				  .has_wscale = true,
				  .has_sack_permitted = true,
				  .has_timestamps = true,
				  .mss = 1460,
				  .wscale = 7,
				  .tsval = 1000,
				  .tsecr = 77};
	struct tcp_options options = all;

	(void)state;
	assert_builds(all, linux_syn, sizeof(linux_syn));
	/* options [mss 1460,nop,nop,TS val 1000 ecr 77,nop,wscale 7] */
	options.has_sack_permitted = false;
	assert_builds(options, BYTES(2, 4, 0x05, 0xb4, 1, 1, 8, 10, 0, 0, 0x03, 0xe8, 0, 0, 0, 0x4d,
				     1, 3, 3, 7));
	/* options [mss 1460,nop,nop,sackOK,nop,wscale 7] */
	options = all;
	options.has_timestamps = false;
	assert_builds(options, BYTES(2, 4, 0x05, 0xb4, 1, 1, 4, 2, 1, 3, 3, 7));
	/* options [mss 1460] */
	options.has_sack_permitted = options.has_wscale = false;
	assert_builds(options, BYTES(2, 4, 0x05, 0xb4));
}

static void builds_timestamps_alone_for_an_ack(void **state)
{
	/* options [nop,nop,TS val 1000 ecr 77] */
	(void)state;
	assert_builds((struct tcp_options){.has_timestamps = true, .tsval = 1000, .tsecr = 77},
		      BYTES(1, 1, 8, 10, 0, 0, 0x03, 0xe8, 0, 0, 0, 0x4d));
	assert_builds((struct tcp_options){}, (const uint8_t *)"", 0);
}

#define NOPS_8 1, 1, 1, 1, 1, 1, 1, 1
#define MD5 19, 18, NOPS_8, NOPS_8
#define AO 29, 16, NOPS_8, 1, 1, 1, 1, 1, 1

/* Each was sent to a listener: it answered what is not taken for a signature here. */
static void finds_signatures_where_linux_does(void **state)
{
	(void)state;
	assert_true(parse(BYTES(MD5), true).has_signature);
	assert_true(parse(BYTES(MD5), false).has_signature);
	assert_true(parse(BYTES(MD5, AO), true).has_signature);
	assert_true(parse(BYTES(NOPS_8, NOPS_8, 1, 1, MD5), true).has_signature);
	assert_true(parse(BYTES(19, 10, NOPS_8, NOPS_8, NOPS_8), true).has_signature);
	assert_true(parse(BYTES(29, 2, NOPS_8, NOPS_8), true).has_signature);
	assert_true(parse(BYTES(5, 0, NOPS_8, NOPS_8), true).has_signature);
	assert_true(parse(BYTES(5, 1, NOPS_8, NOPS_8), true).has_signature);
	assert_true(parse(BYTES(5, 64, NOPS_8, NOPS_8), true).has_signature);
}

static void finds_no_signature_where_linux_does_not(void **state)
{
	(void)state;
	assert_false(parse(linux_syn, sizeof(linux_syn), true).has_signature);
	assert_false(parse(BYTES(AO), true).has_signature);
	assert_false(parse(BYTES(AO, 1, 1, NOPS_8), true).has_signature);
	assert_false(parse(BYTES(AO, AO), true).has_signature);
	assert_false(parse(BYTES(0, MD5), true).has_signature);
	assert_false(parse(BYTES(19, 10, NOPS_8), true).has_signature);
	assert_false(parse(BYTES(5, 0, NOPS_8), true).has_signature);
	assert_false(parse(BYTES(1, 19), true).has_signature);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_the_options_of_a_linux_syn),
		cmocka_unit_test(without_syn_only_timestamps_count),
		cmocka_unit_test(of_two_mss_options_the_last_wins),
		cmocka_unit_test(an_mss_of_0_is_none),
		cmocka_unit_test(keeps_the_extremes_of_the_mss),
		cmocka_unit_test(end_of_list_ends_the_walk),
		cmocka_unit_test(a_window_scale_above_14_becomes_14),
		cmocka_unit_test(an_impossible_length_ends_the_walk),
		cmocka_unit_test(a_kind_without_its_length_ends_the_walk),
		cmocka_unit_test(a_wrong_length_for_the_kind_skips_the_option_only),
		cmocka_unit_test(unknown_options_are_stepped_over),
		cmocka_unit_test(no_bytes_are_no_options),
		cmocka_unit_test(builds_the_layouts_of_linux),
		cmocka_unit_test(builds_timestamps_alone_for_an_ack),
		cmocka_unit_test(finds_signatures_where_linux_does),
		cmocka_unit_test(finds_no_signature_where_linux_does_not),
	};

	return cmocka_run_group_tests_name("tcpopt", tests, NULL, NULL);
}
