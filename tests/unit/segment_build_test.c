/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The other direction: structs to packets. */
#include "segment.h"

#include <stdlib.h>
#include <string.h>

#include "cmocka_setup.h"

/*
 * IP 10.0.0.2.34567 > 10.0.0.1.50814: Flags [S.], seq 2000, ack 1001, win 65535,
 *   options [mss 1460,sackOK,TS val 77 ecr 1000,nop,wscale 8], length 0
 */
static const uint8_t syn_ack_v4[] = {
	0x45, 0x00, 0x00, 0x3c, 0x00, 0x00, 0x40, 0x00, 0x40, 0x06, 0x26, 0xba, 0x0a, 0x00, 0x00,
	0x02, 0x0a, 0x00, 0x00, 0x01, 0x87, 0x07, 0xc6, 0x7e, 0x00, 0x00, 0x07, 0xd0, 0x00, 0x00,
	0x03, 0xe9, 0xa0, 0x12, 0xff, 0xff, 0xd6, 0x78, 0x00, 0x00, 0x02, 0x04, 0x05, 0xb4, 0x04,
	0x02, 0x08, 0x0a, 0x00, 0x00, 0x00, 0x4d, 0x00, 0x00, 0x03, 0xe8, 0x01, 0x03, 0x03, 0x08,
};

/* IP6 fd00::2.80 > fd00::1.50814: Flags [R], seq 7, win 0, length 0 */
static const uint8_t rst_v6[] = {
	0x60, 0x00, 0x00, 0x00, 0x00, 0x14, 0x06, 0x40, 0xfd, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0xfd, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x50, 0xc6, 0x7e, 0x00,
	0x00, 0x00, 0x07, 0x00, 0x00, 0x00, 0x00, 0x50, 0x04, 0x00, 0x00, 0xef, 0x06, 0x00, 0x00,
};
static void builds_an_ipv4_syn_ack(void **state)
{
	struct segment segment = {
		.seq = 2000,
		.ack = 1001,
		.flags = TCP_SYN | TCP_ACK,
		.window = 65535,
		.options = {true, true, true, true, .mss = 1460, .wscale = 8, .tsval = 77,
			    .tsecr = 1000},
	};
	uint8_t out[sizeof(syn_ack_v4)];

	(void)state;
	assert_true(endpoint_parse("10.0.0.2:34567", &segment.tuple.local));
	assert_true(endpoint_parse("10.0.0.1:50814", &segment.tuple.remote));
	assert_int_equal(segment_build(&segment, out, sizeof(out)), sizeof(out));
	assert_memory_equal(out, syn_ack_v4, sizeof(out));
	assert_int_equal(segment_build(&segment, out, sizeof(out) - 1), 0);
}

static void builds_an_ipv6_rst(void **state)
{
	struct segment segment = {.seq = 7, .flags = TCP_RST};
	uint8_t out[sizeof(rst_v6)];

	(void)state;
	assert_true(endpoint_parse("[fd00::2]:80", &segment.tuple.local));
	assert_true(endpoint_parse("[fd00::1]:50814", &segment.tuple.remote));
	assert_int_equal(segment_build(&segment, out, sizeof(out)), sizeof(out));
	assert_memory_equal(out, rst_v6, sizeof(out));
	assert_true(endpoint_parse("10.0.0.1:50814", &segment.tuple.remote));
	assert_int_equal(segment_build(&segment, out, sizeof(out)), 0);
}

static void builds_up_to_65535_bytes_and_no_more(void **state)
{
	static uint8_t payload[65535], out[70000];
	struct segment segment = {.flags = TCP_ACK, .payload = payload, .ttl = 3}, parsed;

	(void)state;
	memset(payload, 0xa5, sizeof(payload));
	assert_true(endpoint_parse("10.0.0.2:1", &segment.tuple.local));
	assert_true(endpoint_parse("10.0.0.1:2", &segment.tuple.remote));
	segment.payload_len = 65535 - 40;
	assert_int_equal(segment_build(&segment, out, sizeof(out)), 65535);
	assert_int_equal(segment_parse(out, 65535, &parsed), SEGMENT_OK);
	assert_int_equal(parsed.payload_len, segment.payload_len);
	assert_int_equal(parsed.checksum, CHECKSUM_VALID);
	assert_int_equal(parsed.ttl, 3);
	segment.payload_len++;
	assert_int_equal(segment_build(&segment, out, sizeof(out)), 0);
}

static void formats_flags_as_tcpdump_does(void **state)
{
	char text[SEGMENT_FLAGS_TEXT_SIZE];

	(void)state;
	segment_format_flags(TCP_SYN, text);
	assert_string_equal(text, "S");
	segment_format_flags(TCP_SYN | TCP_ACK, text);
	assert_string_equal(text, "S.");
	segment_format_flags(TCP_FIN | TCP_PSH | TCP_ACK, text);
	assert_string_equal(text, "FP.");
	segment_format_flags(0xff, text);
	assert_string_equal(text, "FSRP.UEW");
	segment_format_flags(0, text);
	assert_string_equal(text, "none");
}
int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(builds_an_ipv4_syn_ack),
		cmocka_unit_test(builds_an_ipv6_rst),
		cmocka_unit_test(builds_up_to_65535_bytes_and_no_more),
		cmocka_unit_test(formats_flags_as_tcpdump_does),
	};

	return cmocka_run_group_tests_name("segment_build", tests, NULL, NULL);
}
