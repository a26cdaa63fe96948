/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Options in an order of one's own, as text and as bytes. */
#include "tcpopt_layout.h"

#include <string.h>

#include "cmocka_setup.h"

static const struct tcp_options all = {
	.has_mss = true,
	.mss = 1460,
	.has_sack_permitted = true,
	.has_timestamps = true,
	.tsval = 1000,
	.tsecr = 77,
	.has_wscale = true,
	.wscale = 7,
};

static void builds(const char *text, const struct tcp_options *options, const uint8_t *expected,
		   size_t expected_len)
{
	struct tcp_options with = *options;
	uint8_t bytes[TCPOPT_MAX_SIZE];
	struct tcpopt_layout layout;

	assert_int_equal(tcpopt_layout_parse(text, &layout), TCPOPT_LAYOUT_OK);
	with.layout = &layout;
	memset(bytes, 0xee, sizeof(bytes));
	assert_int_equal(tcpopt_build(&with, bytes), expected_len);
	assert_memory_equal(bytes, expected, expected_len);
}

#define BUILDS(text, options, ...)                                 \
	builds(text, options, ((const uint8_t[]){__VA_ARGS__, 0}), \
	       sizeof((const uint8_t[]){__VA_ARGS__, 0}) - 1)

static void builds_what_is_asked_for_in_that_order(void **state)
{
	(void)state;
	/* options [mss 1460,sackOK,TS val 1000 ecr 77,nop,wscale 7] */
	BUILDS("mss,sok,ts,nop,ws", &all, 2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 3, 0xe8, 0, 0, 0, 77, 1,
	       3, 3, 7);
	/* options [mss 1460,nop,wscale 7,nop,nop,sackOK], as Windows has it */
	BUILDS("mss,nop,ws,nop,nop,sok", &all, 2, 4, 5, 0xb4, 1, 3, 3, 7, 1, 1, 4, 2);
	/* options [mss 1460,nop,wscale 7,nop,nop,TS val 1000 ecr 77,sackOK,eol], as macOS has it */
	BUILDS("mss,nop,ws,nop,nop,ts,sok,eol,eol", &all, 2, 4, 5, 0xb4, 1, 3, 3, 7, 1, 1, 8, 10, 0,
	       0, 3, 0xe8, 0, 0, 0, 77, 4, 2, 0, 0);
}

static void fills_up_with_ends_of_the_list(void **state)
{
	(void)state;
	/* options [wscale 7,eol], and [nop,eol] */
	BUILDS("ws", &all, 3, 3, 7, 0);
	BUILDS("nop", &all, 1, 0, 0, 0);
}

static void nothing_is_a_layout_too(void **state)
{
	struct tcpopt_layout layout;

	(void)state;
	assert_int_equal(tcpopt_layout_parse("none", &layout), TCPOPT_LAYOUT_OK);
	assert_int_equal(layout.count, 0);
	builds("none", &all, (const uint8_t *)"", 0);
}

static void leaves_out_what_the_segment_has_not(void **state)
{
	const struct tcp_options mss = {.has_mss = true, .mss = 1000};

	(void)state;
	BUILDS("ts,mss,sok,ws", &mss, 2, 4, 3, 0xe8);
}

static void has_room_for_40_bytes(void **state)
{
	struct tcpopt_layout layout = {0};
	char nops[41 * 4 + 1] = "";

	(void)state;
	for (int i = 0; i < 40; i++)
		strcat(nops, i ? ",nop" : "nop");
	assert_int_equal(tcpopt_layout_parse(nops, &layout), TCPOPT_LAYOUT_OK);
	assert_int_equal(layout.count, 40);
	strcat(nops, ",nop");
	assert_int_equal(tcpopt_layout_parse(nops, &layout), TCPOPT_LAYOUT_LONG);
	/* 21 bytes of NOPs, and 19 of options: a byte more is too much. */
	memset(&layout, TCPOPT_KIND_NOP, sizeof(layout));
	layout.count = 25;
	memcpy(layout.kinds + 21, "\2\4\10\3", 4);
	assert_int_equal(tcpopt_layout_check(&layout), TCPOPT_LAYOUT_OK);
	layout.kinds[25] = TCPOPT_KIND_NOP;
	layout.count = 26;
	assert_int_equal(tcpopt_layout_check(&layout), TCPOPT_LAYOUT_LONG);
	layout.count = 41;
	assert_int_equal(tcpopt_layout_check(&layout), TCPOPT_LAYOUT_LONG);
}

static void refuses_what_is_none(void **state)
{
	static const char *const unknown[] = {"",	"mss,",	  ",mss",     "mss,,ws", "MSS",
					      "wscale", "mss ws", "none,mss", "mssx",	 "ms"};
	struct tcpopt_layout layout = {.count = 1, .kinds = {9}};

	(void)state;
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
		assert_int_equal(tcpopt_layout_parse(unknown[i], &layout), TCPOPT_LAYOUT_UNKNOWN);
	assert_int_equal(tcpopt_layout_parse("mss,sok,mss", &layout), TCPOPT_LAYOUT_TWICE);
	assert_int_equal(tcpopt_layout_parse("mss,eol,nop", &layout), TCPOPT_LAYOUT_BEHIND_END);
	assert_int_equal(layout.count, 1);
	assert_int_equal(tcpopt_layout_check(&layout), TCPOPT_LAYOUT_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(builds_what_is_asked_for_in_that_order),
		cmocka_unit_test(fills_up_with_ends_of_the_list),
		cmocka_unit_test(nothing_is_a_layout_too),
		cmocka_unit_test(leaves_out_what_the_segment_has_not),
		cmocka_unit_test(has_room_for_40_bytes),
		cmocka_unit_test(refuses_what_is_none),
	};

	return cmocka_run_group_tests_name("tcp option layout", tests, NULL, NULL);
}
