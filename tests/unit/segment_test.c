/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "segment.h"

#include <stdlib.h>
#include <string.h>

#include "cmocka_setup.h"

/*
 * IP 10.0.0.1.50814 > 10.0.0.2.34567: Flags [S], seq 1000, win 64240,
 *   options [mss 1460,sackOK,TS val 1000 ecr 0,nop,wscale 7], length 0
 */
static const uint8_t syn_v4[] = {
	0x45, 0x00, 0x00, 0x3c, 0x1c, 0x46, 0x40, 0x00, 0x40, 0x06, 0x0a, 0x74, 0x0a, 0x00, 0x00,
	0x01, 0x0a, 0x00, 0x00, 0x02, 0xc6, 0x7e, 0x87, 0x07, 0x00, 0x00, 0x03, 0xe8, 0x00, 0x00,
	0x00, 0x00, 0xa0, 0x02, 0xfa, 0xf0, 0xe3, 0xb6, 0x00, 0x00, 0x02, 0x04, 0x05, 0xb4, 0x04,
	0x02, 0x08, 0x0a, 0x00, 0x00, 0x03, 0xe8, 0x00, 0x00, 0x00, 0x00, 0x01, 0x03, 0x03, 0x07,
};

/*
 * IP6 (flowlabel 0x12345) fd00::1.50814 > fd00::2.80: Flags [P.], seq 1001:1006, ack 2001, win 502,
 *   options [nop,nop,TS val 1001 ecr 77], length 5
 */
static const uint8_t data_v6[] = {
	0x60, 0x01, 0x23, 0x45, 0x00, 0x25, 0x06, 0x40, 0xfd, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0xfd, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x02, 0xc6, 0x7e, 0x00, 0x50, 0x00, 0x00, 0x03, 0xe9, 0x00, 0x00, 0x07, 0xd1,
	0x80, 0x18, 0x01, 0xf6, 0x60, 0x25, 0x00, 0x00, 0x01, 0x01, 0x08, 0x0a, 0x00,
	0x00, 0x03, 0xe9, 0x00, 0x00, 0x00, 0x4d, 0x68, 0x65, 0x6c, 0x6c, 0x6f,
};

/* IP 10.0.0.1.50814 > 10.0.0.2.34567: Flags [S], cksum 0x141d (the pseudo-header's), seq 1000, win 64240, length 0 */
static const uint8_t syn_v4_partial[] = {
	0x45, 0x00, 0x00, 0x28, 0x00, 0x00, 0x40, 0x00, 0x40, 0x06, 0x26, 0xce, 0x0a, 0x00,
	0x00, 0x01, 0x0a, 0x00, 0x00, 0x02, 0xc6, 0x7e, 0x87, 0x07, 0x00, 0x00, 0x03, 0xe8,
	0x00, 0x00, 0x00, 0x00, 0x50, 0x02, 0xfa, 0xf0, 0x14, 0x1d, 0x00, 0x00,
};

/* From a heap block of exactly that size, so that a read past the end is seen. The payload is not to be used. */
static enum segment_error parse_exactly(const uint8_t *packet, size_t len, struct segment *out)
{
	uint8_t *copy = malloc(len ? len : 1);
	enum segment_error error;

	assert_non_null(copy);
	memcpy(copy, packet, len);
	error = segment_parse(copy, len, out);
	free(copy);
	return error;
}

static void assert_endpoint(const struct endpoint *endpoint, const char *text)
{
	char formatted[ENDPOINT_TEXT_SIZE];

	endpoint_format(endpoint, formatted);
	assert_string_equal(formatted, text);
}

static void put16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void mend_v4_header(uint8_t *packet)
{
	put16(packet + 10, 0);
	put16(packet + 10,
	      (uint16_t)~checksum_fold(checksum_add(0, packet, (packet[0] & 0xfu) * 4)));
}

static void reads_an_ipv4_syn(void **state)
{
	struct segment segment;

	(void)state;
	assert_int_equal(segment_parse(syn_v4, sizeof(syn_v4), &segment), SEGMENT_OK);
	assert_endpoint(&segment.tuple.remote, "10.0.0.1:50814");
	assert_endpoint(&segment.tuple.local, "10.0.0.2:34567");
	assert_int_equal(segment.seq, 1000);
	assert_int_equal(segment.ack, 0);
	assert_int_equal(segment.flags, TCP_SYN);
	assert_int_equal(segment.window, 64240);
	assert_int_equal(segment.options.mss, 1460);
	assert_int_equal(segment.options.tsval, 1000);
	assert_int_equal(segment.payload_len, 0);
	assert_int_equal(segment.checksum, CHECKSUM_VALID);
	assert_int_equal(segment.ttl, 64);
	assert_int_equal(segment_seq_len(&segment), 1);
}

static void reads_ipv6_data(void **state)
{
	struct segment segment;

	(void)state;
	assert_int_equal(segment_parse(data_v6, sizeof(data_v6), &segment), SEGMENT_OK);
	assert_endpoint(&segment.tuple.remote, "[fd00::1]:50814");
	assert_endpoint(&segment.tuple.local, "[fd00::2]:80");
	assert_int_equal(segment.seq, 1001);
	assert_int_equal(segment.ack, 2001);
	assert_int_equal(segment.flags, TCP_PSH | TCP_ACK);
	assert_int_equal(segment.options.tsecr, 77);
	assert_int_equal(segment.payload_len, 5);
	assert_memory_equal(segment.payload, "hello", 5);
	assert_int_equal(segment.checksum, CHECKSUM_VALID);
	assert_int_equal(segment_seq_len(&segment), 5);
}

static void tells_an_unfinished_checksum_from_a_bad_one(void **state)
{
	uint8_t packet[sizeof(syn_v4_partial)];
	struct segment segment;

	(void)state;
	memcpy(packet, syn_v4_partial, sizeof(packet));
	assert_int_equal(segment_parse(packet, sizeof(packet), &segment), SEGMENT_OK);
	assert_int_equal(segment.checksum, CHECKSUM_PARTIAL);
	packet[37]++;
	assert_int_equal(segment_parse(packet, sizeof(packet), &segment), SEGMENT_OK);
	assert_int_equal(segment.checksum, CHECKSUM_BAD);
}

static void ignores_padding_behind_the_ip_packet(void **state)
{
	uint8_t packet[sizeof(data_v6) + 6];
	struct segment segment;

	(void)state;
	memset(packet, 0xee, sizeof(packet));
	memcpy(packet, data_v6, sizeof(data_v6));
	assert_int_equal(segment_parse(packet, sizeof(packet), &segment), SEGMENT_OK);
	assert_int_equal(segment.payload_len, 5);
	assert_int_equal(segment.checksum, CHECKSUM_VALID);
}

static void every_shorter_packet_is_cut(void **state)
{
	struct segment segment;
	size_t len;

	(void)state;
	for (len = 0; len < sizeof(syn_v4); len++)
		assert_int_equal(parse_exactly(syn_v4, len, &segment), SEGMENT_CUT);
	for (len = 0; len < sizeof(data_v6); len++)
		assert_int_equal(parse_exactly(data_v6, len, &segment), SEGMENT_CUT);
}

static void an_ip_length_without_room_for_tcp_is_cut(void **state)
{
	uint8_t packet[sizeof(syn_v4)];
	struct segment segment;

	(void)state;
	memcpy(packet, syn_v4, sizeof(packet));
	put16(packet + 2, 39);
	mend_v4_header(packet);
	assert_int_equal(segment_parse(packet, sizeof(packet), &segment), SEGMENT_CUT);
}

static void refuses_what_is_not_tcp(void **state)
{
	uint8_t packet[sizeof(data_v6)];
	struct segment segment;

	(void)state;
	memcpy(packet, syn_v4, sizeof(syn_v4));
	packet[9] = 17;
	mend_v4_header(packet);
	assert_int_equal(segment_parse(packet, sizeof(syn_v4), &segment), SEGMENT_NOT_TCP);
	packet[0] = 0x55;
	assert_int_equal(segment_parse(packet, sizeof(syn_v4), &segment), SEGMENT_NOT_TCP);
	memcpy(packet, data_v6, sizeof(data_v6));
	packet[6] = 51; /* AH */
	assert_int_equal(segment_parse(packet, sizeof(data_v6), &segment), SEGMENT_NOT_TCP);
}

static void refuses_ipv4_fragments(void **state)
{
	static const uint16_t fields[] = {0x2000, 0x0001, 0x1fff, 0x6000};
	uint8_t packet[sizeof(syn_v4)];
	struct segment segment;
	size_t i;

	(void)state;
	memcpy(packet, syn_v4, sizeof(packet));
	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		put16(packet + 6, fields[i]);
		mend_v4_header(packet);
		assert_int_equal(segment_parse(packet, sizeof(packet), &segment), SEGMENT_FRAGMENT);
	}
}

static void refuses_impossible_headers(void **state)
{
	static const struct {
		size_t offset;
		uint8_t value;
		bool is_mended;
	} cases[] = {
		{0, 0x44, true}, /* IHL 4 */
		{3, 19, true}, /* total length 19 */
		{11, 0x75, false}, /* header checksum */
		{32, 0x40, false}, /* data offset 4 */
		{32, 0xb0, false}, /* data offset 11, one word beyond the packet */
	};
	uint8_t packet[sizeof(syn_v4)];
	struct segment segment;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memcpy(packet, syn_v4, sizeof(packet));
		packet[cases[i].offset] = cases[i].value;
		if (cases[i].is_mended)
			mend_v4_header(packet);
		assert_int_equal(parse_exactly(packet, sizeof(packet), &segment),
				 SEGMENT_BAD_HEADER);
	}
}

/* syn_v4 with IPv4 options; len: a multiple of 4. */
static enum segment_error parse_with_v4_options(const char *options, size_t len,
						struct segment *out)
{
	uint8_t packet[sizeof(syn_v4) + 40];

	memcpy(packet, syn_v4, 20);
	memcpy(packet + 20, options, len);
	memcpy(packet + 20 + len, syn_v4 + 20, sizeof(syn_v4) - 20);
	packet[0] = (uint8_t)(0x45 + len / 4);
	put16(packet + 2, (uint16_t)(sizeof(syn_v4) + len));
	mend_v4_header(packet);
	return parse_exactly(packet, sizeof(syn_v4) + len, out);
}

static void walks_ipv4_options(void **state)
{
	struct segment segment;

	(void)state;
	/* options (NOP,NOP,NOP,EOL), (RR 0.0.0.0), (EOL and what nobody reads) */
	assert_int_equal(parse_with_v4_options("\1\1\1\0", 4, &segment), SEGMENT_OK);
	assert_int_equal(segment.seq, 1000);
	assert_int_equal(segment.checksum, CHECKSUM_VALID);
	assert_int_equal(parse_with_v4_options("\7\7\4\0\0\0\0\0", 8, &segment), SEGMENT_OK);
	assert_int_equal(parse_with_v4_options("\0\x83\x03\x04", 4, &segment), SEGMENT_OK);
}

static void refuses_source_routes_and_broken_ipv4_options(void **state)
{
	struct segment segment;

	(void)state;
	/* options (NOP,LSRR), (NOP,SSRR), length 0, length 1, beyond the header, no length */
	assert_int_equal(parse_with_v4_options("\1\x83\x03\x04", 4, &segment),
			 SEGMENT_SOURCE_ROUTE);
	assert_int_equal(parse_with_v4_options("\1\x89\x03\x04", 4, &segment),
			 SEGMENT_SOURCE_ROUTE);
	assert_int_equal(parse_with_v4_options("\7\0\0\0", 4, &segment), SEGMENT_BAD_HEADER);
	assert_int_equal(parse_with_v4_options("\7\1\0\0", 4, &segment), SEGMENT_BAD_HEADER);
	assert_int_equal(parse_with_v4_options("\7\5\4\0", 4, &segment), SEGMENT_BAD_HEADER);
	assert_int_equal(parse_with_v4_options("\1\1\1\7", 4, &segment), SEGMENT_BAD_HEADER);
}

/* data_v6 with extension headers of len bytes in front of TCP, the first of them of kind first. */
static enum segment_error parse_with_extensions(uint8_t first, const char *headers, size_t len,
						struct segment *out)
{
	uint8_t packet[sizeof(data_v6) + 128];

	memcpy(packet, data_v6, 40);
	memcpy(packet + 40, headers, len);
	memcpy(packet + 40 + len, data_v6 + 40, sizeof(data_v6) - 40);
	packet[6] = first;
	put16(packet + 4, (uint16_t)(sizeof(data_v6) - 40 + len));
	return parse_exactly(packet, sizeof(data_v6) + len, out);
}

#define PADN "\1\4\0\0\0\0"

static void walks_ipv6_extension_headers(void **state)
{
	struct segment segment;

	(void)state;
	/* HBH, DSTOPT, 16 bytes of DSTOPT, srcrt with no segments left, an atomic fragment, and HBH + DSTOPT */
	assert_int_equal(parse_with_extensions(0, "\6\0" PADN, 8, &segment), SEGMENT_OK);
	assert_int_equal(segment.payload_len, 5);
	assert_int_equal(segment.checksum, CHECKSUM_VALID);
	assert_int_equal(parse_with_extensions(60, "\6\0" PADN, 8, &segment), SEGMENT_OK);
	assert_int_equal(parse_with_extensions(60, "\6\1" PADN PADN "\0\0", 16, &segment),
			 SEGMENT_OK);
	assert_int_equal(parse_with_extensions(43, "\6\0\4\0\0\0\0\0", 8, &segment), SEGMENT_OK);
	assert_int_equal(parse_with_extensions(44, "\6\0\0\0\1\2\3\4", 8, &segment), SEGMENT_OK);
	assert_int_equal(parse_with_extensions(0, "\x3c\0" PADN "\6\0" PADN, 16, &segment),
			 SEGMENT_OK);
	assert_int_equal(segment.seq, 1001);
}

static void refuses_other_ipv6_extension_headers(void **state)
{
	struct segment segment;

	(void)state;
	/* frag offset 8, more fragments, srcrt with one left, HBH not in front, a length beyond the packet, no next */
	assert_int_equal(parse_with_extensions(44, "\6\0\0\x08\1\2\3\4", 8, &segment),
			 SEGMENT_FRAGMENT);
	assert_int_equal(parse_with_extensions(44, "\6\0\0\1\1\2\3\4", 8, &segment),
			 SEGMENT_FRAGMENT);
	assert_int_equal(parse_with_extensions(43, "\6\0\4\1\0\0\0\0", 8, &segment),
			 SEGMENT_SOURCE_ROUTE);
	assert_int_equal(parse_with_extensions(60, "\0\0" PADN "\6\0" PADN, 16, &segment),
			 SEGMENT_NOT_TCP);
	assert_int_equal(parse_with_extensions(60, "\6\x40" PADN, 8, &segment), SEGMENT_CUT);
	assert_int_equal(parse_with_extensions(60, "\x3b\0" PADN, 8, &segment), SEGMENT_NOT_TCP);
}

static void the_walk_of_extension_headers_is_bounded(void **state)
{
	char headers[9 * 8];
	struct segment segment;
	size_t i;

	(void)state;
	for (i = 0; i < 9; i++)
		memcpy(headers + 8 * i, "\x3c\0" PADN, 8);
	headers[7 * 8] = 6;
	assert_int_equal(parse_with_extensions(60, headers, 8 * 8, &segment), SEGMENT_OK);
	headers[7 * 8] = 60;
	headers[8 * 8] = 6;
	assert_int_equal(parse_with_extensions(60, headers, 9 * 8, &segment), SEGMENT_NOT_TCP);
}

static void reads_the_tuple_of_a_packet_that_it_refuses(void **state)
{
	uint8_t packet[sizeof(syn_v4)];
	struct segment segment;
	struct tuple tuple;

	(void)state;
	memcpy(packet, syn_v4, sizeof(packet));
	packet[10] ^= 1; /* the IPv4 header's checksum */
	assert_int_equal(segment_parse(packet, sizeof(packet), &segment), SEGMENT_BAD_HEADER);
	assert_true(segment_read_tuple(packet, sizeof(packet), 20, &tuple));
	assert_int_equal(tuple.remote.port, 50814);
	assert_int_equal(tuple.local.port, 34567);
	assert_false(segment_read_tuple(packet, 23, 20, &tuple));
	assert_false(segment_read_tuple(packet, sizeof(packet), 16, &tuple));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_an_ipv4_syn),
		cmocka_unit_test(reads_ipv6_data),
		cmocka_unit_test(tells_an_unfinished_checksum_from_a_bad_one),
		cmocka_unit_test(ignores_padding_behind_the_ip_packet),
		cmocka_unit_test(every_shorter_packet_is_cut),
		cmocka_unit_test(an_ip_length_without_room_for_tcp_is_cut),
		cmocka_unit_test(refuses_what_is_not_tcp),
		cmocka_unit_test(refuses_ipv4_fragments),
		cmocka_unit_test(refuses_impossible_headers),
		cmocka_unit_test(walks_ipv4_options),
		cmocka_unit_test(refuses_source_routes_and_broken_ipv4_options),
		cmocka_unit_test(walks_ipv6_extension_headers),
		cmocka_unit_test(refuses_other_ipv6_extension_headers),
		cmocka_unit_test(the_walk_of_extension_headers_is_bounded),
		cmocka_unit_test(reads_the_tuple_of_a_packet_that_it_refuses),
	};

	return cmocka_run_group_tests_name("segment", tests, NULL, NULL);
}
