/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Blocks of a pcapng file, byte by byte, as a little-endian machine writes them. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "unit/cmocka_setup.h"

#include "pcapng.h"

static uint8_t out[1024];

#define ASSERT_BLOCK(expected, len)                      \
	do {                                             \
		assert_int_equal(len, sizeof(expected)); \
		assert_memory_equal(out, expected, len); \
	} while (0)

static void a_section_says_version_and_byte_order(void **state)
{
	static const uint8_t expected[] = {
		0x0a, 0x0d, 0x0d, 0x0a, /* section header */
		44,   0,    0,	  0, /* length */
		0x4d, 0x3c, 0x2b, 0x1a, /* byte order */
		1,    0,    0,	  0, /* version 1.0 */
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, /* length of the section: not known */
		4,    0,    8,	  0,	'n',  'o',  'l',  'i',	's',
		't',  'e',  'n', /* shb_userappl */
		0,    0,    0,	  0, /* opt_endofopt */
		44,   0,    0,	  0, /* length */
	};

	(void)state;
	ASSERT_BLOCK(expected, pcapng_build_section(out, sizeof(out), "nolisten"));
	assert_true(pcapng_is_section(out, 4));
	assert_false(pcapng_is_section(out, 3));
	assert_false(
		pcapng_is_section((const uint8_t *)"\xd4\xc3\xb2\xa1", 4)); /* the old format */
}

static void an_interface_has_its_link_type_and_nanoseconds(void **state)
{
	static const struct pcapng_interface interface = {
		.link = PCAPNG_LINK_RAW,
		.name = "tun0",
		.filter = "tcp",
		.snap_len = 96,
	};
	static const uint8_t expected[] = {
		1,   0, 0, 0, /* interface description */
		60,  0, 0, 0, /* length */
		101, 0, 0, 0, /* LINKTYPE_RAW */
		96,  0, 0, 0, /* snapshot length */
		2,   0, 4, 0, 't', 'u', 'n', '0', /* if_name */
		9,   0, 1, 0, 9,   0,	0,   0, /* if_tsresol: 10^-9 */
		11,  0, 4, 0, 0,   't', 'c', 'p', /* if_filter, in tcpdump's language */
		12,  0, 5, 0, 'L', 'i', 'n', 'u', 'x', 0, 0, 0, /* if_os */
		0,   0, 0, 0, /* opt_endofopt */
		60,  0, 0, 0, /* length */
	};

	(void)state;
	ASSERT_BLOCK(expected, pcapng_build_interface(out, sizeof(out), &interface));
}

static void a_packet_has_comment_direction_and_what_was_lost_before_it(void **state)
{
	static const uint8_t frame[] = {0xaa, 0xbb, 0xcc, 0xdd, 0xee};
	static const struct pcapng_packet packet = {
		.time_ns = 0x0011223344556677,
		.frame = frame,
		.snap_len = sizeof(frame),
		.frame_len = 1500,
		.is_outgoing = true,
		.lost = 3,
		.comment = "verdict",
	};
	static const uint8_t expected[] = {
		6,    0,    0,	  0, /* enhanced packet */
		76,   0,    0,	  0, /* length */
		0,    0,    0,	  0, /* interface 0 */
		0x33, 0x22, 0x11, 0x00, 0x77, 0x66, 0x55, 0x44, /* time, upper half first */
		5,    0,    0,	  0,	0xdc, 5,    0,	  0, /* captured, original length */
		0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0,    0,	  0,	1, 0, 7, 0,
		'v',  'e',  'r',  'd',	'i',  'c',  't',  0, /* opt_comment */
		2,    0,    4,	  0,	2,    0,    0,	  0, /* epb_flags: outbound */
		4,    0,    8,	  0,	3,    0,    0,	  0,	0, 0, 0, 0, /* epb_dropcount */
		0,    0,    0,	  0, /* opt_endofopt */
		76,   0,    0,	  0, /* length */
	};

	(void)state;
	ASSERT_BLOCK(expected, pcapng_build_packet(out, sizeof(out), &packet));
}

static void what_came_in_is_inbound_and_says_nothing_of_losses(void **state)
{
	static const uint8_t frame[4];
	static const struct pcapng_packet packet = {
		.frame = frame, .snap_len = 4, .frame_len = 4, .comment = "c"};
	static const uint8_t flags[] = {2, 0, 4, 0, 1, 0, 0, 0, 0, 0, 0, 0, 56, 0, 0, 0};

	(void)state;
	assert_int_equal(pcapng_build_packet(out, sizeof(out), &packet), 56);
	assert_memory_equal(out + 56 - sizeof(flags), flags, sizeof(flags));
}

static void statistics_have_what_was_lost(void **state)
{
	static const struct pcapng_statistics statistics = {
		.started_ns = 0x100000002,
		.ended_ns = 0x300000004,
		.received = 10,
		.accepted = 9,
		.lost = 2,
		.written = 7,
	};
	static const uint8_t expected[] = {
		5,   0, 0, 0, /* interface statistics */
		112, 0, 0, 0, /* length */
		0,   0, 0, 0, /* interface 0 */
		3,   0, 0, 0, 4,  0, 0, 0, /* time */
		2,   0, 8, 0, 1,  0, 0, 0, 2, 0, 0, 0, /* isb_starttime */
		3,   0, 8, 0, 3,  0, 0, 0, 4, 0, 0, 0, /* isb_endtime */
		4,   0, 8, 0, 10, 0, 0, 0, 0, 0, 0, 0, /* isb_ifrecv */
		5,   0, 8, 0, 2,  0, 0, 0, 0, 0, 0, 0, /* isb_ifdrop */
		6,   0, 8, 0, 9,  0, 0, 0, 0, 0, 0, 0, /* isb_filteraccept */
		7,   0, 8, 0, 0,  0, 0, 0, 0, 0, 0, 0, /* isb_osdrop */
		8,   0, 8, 0, 7,  0, 0, 0, 0, 0, 0, 0, /* isb_usrdeliv */
		0,   0, 0, 0, /* opt_endofopt */
		112, 0, 0, 0, /* length */
	};

	(void)state;
	ASSERT_BLOCK(expected, pcapng_build_statistics(out, sizeof(out), &statistics));
}

/* In a buffer of just that size, so that a sanitizer sees a byte too many. */
static size_t build_into(size_t size, const struct pcapng_packet *packet)
{
	uint8_t *buffer = malloc(size ?: 1);
	size_t len;

	assert_non_null(buffer);
	len = pcapng_build_packet(buffer, size, packet);
	free(buffer);
	return len;
}

static void a_block_is_whole_or_not_there(void **state)
{
	static const uint8_t frame[33];
	static const char comment[] = "verdict=held";

	(void)state;
	for (uint32_t snap_len = 0; snap_len <= sizeof(frame); snap_len++) {
		for (size_t skipped = 0; skipped < sizeof(comment); skipped++) {
			const struct pcapng_packet packet = {
				.frame = frame,
				.snap_len = snap_len,
				.frame_len = 100,
				.lost = skipped & 1,
				.comment = comment + skipped,
			};
			const size_t len = build_into(sizeof(out), &packet);

			assert_int_equal(len % 4, 0);
			assert_true(len && len <= PCAPNG_BLOCK_MAX + snap_len + sizeof(comment));
			assert_int_equal(build_into(len, &packet), len);
			for (size_t size = 0; size < len; size++)
				assert_int_equal(build_into(size, &packet), 0);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_section_says_version_and_byte_order),
		cmocka_unit_test(an_interface_has_its_link_type_and_nanoseconds),
		cmocka_unit_test(a_packet_has_comment_direction_and_what_was_lost_before_it),
		cmocka_unit_test(what_came_in_is_inbound_and_says_nothing_of_losses),
		cmocka_unit_test(statistics_have_what_was_lost),
		cmocka_unit_test(a_block_is_whole_or_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
