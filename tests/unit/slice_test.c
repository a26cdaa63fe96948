/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "slice.h"

#include <errno.h>
#include <string.h>

#include "cmocka_setup.h"
#include "segment.h"

#define TAG 0xabcde123u
#define MTU 1500

static uint8_t payload[64000];
static uint8_t packet[65535], out[65535];

static void put16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static int fill_payload(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)(i * 7 + i / 251);
	return 0;
}

/* With timestamps: headers of 52 (IPv4) or 72 (IPv6) bytes. */
static size_t build(const char *remote, const char *local, uint8_t flags, uint32_t payload_len)
{
	struct segment segment = {
		.seq = 0xfffffff0,
		.ack = 77,
		.flags = flags,
		.window = 500,
		.options = {.has_timestamps = true, .tsval = 5, .tsecr = 6},
		.payload = payload,
		.payload_len = payload_len,
	};

	/* As if the remote had built it. */
	assert_true(endpoint_parse(remote, &segment.tuple.local));
	assert_true(endpoint_parse(local, &segment.tuple.remote));
	return segment_build(&segment, packet, sizeof(packet));
}

static size_t build_v4(uint8_t flags, uint32_t payload_len)
{
	return build("10.0.0.1:50814", "10.0.0.2:80", flags, payload_len);
}

static size_t build_v6(uint8_t flags, uint32_t payload_len)
{
	return build("[fd00::1]:50814", "[fd00::2]:80", flags, payload_len);
}

static size_t next_segment(struct slicer *slicer, struct segment *segment)
{
	size_t len = slicer_next(slicer, out, sizeof(out));

	if (len) {
		assert_int_equal(segment_parse(out, len, segment), SEGMENT_OK);
		assert_int_equal(segment->checksum, CHECKSUM_VALID);
	}
	return len;
}

static void a_packet_without_payload_gives_one_slice(void **state)
{
	size_t len = build_v4(TCP_ACK, 0);
	struct slicer slicer;
	struct segment segment;

	(void)state;
	assert_int_equal(slicer_init(&slicer, packet, len, MTU, TAG), 0);
	assert_int_equal(next_segment(&slicer, &segment), len);
	assert_int_equal(segment.flags, TCP_ACK);
	assert_int_equal(segment.seq, 0xfffffff0);
	assert_int_equal(next_segment(&slicer, &segment), 0);
	assert_int_equal(next_segment(&slicer, &segment), 0);
}

static void the_slices_are_the_payload_without_gap_or_overlap(void **state)
{
	size_t len = build_v4(TCP_ACK | TCP_PSH | TCP_FIN, 64000), total = 0, got;
	struct slicer slicer;
	struct segment segment;

	(void)state;
	assert_int_equal(slicer_init(&slicer, packet, len, MTU, TAG), 0);
	while ((got = next_segment(&slicer, &segment))) {
		bool is_last = total + segment.payload_len == 64000;

		assert_true(is_last || got == MTU);
		assert_int_equal(segment.seq, 0xfffffff0 + (uint32_t)total);
		assert_int_equal(segment.ack, 77);
		assert_int_equal(segment.options.tsval, 5);
		assert_memory_equal(segment.payload, payload + total, segment.payload_len);
		assert_int_equal(segment.flags, is_last ? TCP_ACK | TCP_PSH | TCP_FIN : TCP_ACK);
		total += segment.payload_len;
	}
	assert_int_equal(total, 64000);
}

static void a_full_packet_is_not_cut(void **state)
{
	size_t len = build_v4(TCP_ACK | TCP_PSH, MTU - 52);
	struct slicer slicer;
	struct segment segment;

	(void)state;
	assert_int_equal(len, MTU);
	assert_int_equal(slicer_init(&slicer, packet, len, MTU, TAG), 0);
	assert_int_equal(next_segment(&slicer, &segment), MTU);
	assert_int_equal(segment.flags, TCP_ACK | TCP_PSH);
	assert_int_equal(next_segment(&slicer, &segment), 0);
}

static void one_byte_too_many_makes_a_second_slice(void **state)
{
	size_t len = build_v6(TCP_ACK | TCP_PSH, MTU - 72 + 1);
	struct slicer slicer;
	struct segment segment;

	(void)state;
	assert_int_equal(slicer_init(&slicer, packet, len, MTU, TAG), 0);
	assert_int_equal(next_segment(&slicer, &segment), MTU);
	assert_int_equal(next_segment(&slicer, &segment), 73);
	assert_int_equal(segment.payload_len, 1);
	assert_int_equal(segment.flags, TCP_ACK | TCP_PSH);
	assert_int_equal(next_segment(&slicer, &segment), 0);
}

static void ipv4_slices_carry_the_tag_as_identification(void **state)
{
	size_t len = build_v4(TCP_ACK, 10);
	struct slicer slicer;
	struct segment segment;

	(void)state;
	assert_int_equal(slicer_init(&slicer, packet, len, MTU, TAG), 0);
	next_segment(&slicer, &segment);
	assert_int_equal(out[4] << 8 | out[5], TAG & 0xffff);
	assert_int_equal(out[6] << 8 | out[7], 0x4000);
	assert_int_equal(out[8], 0);
}

static void ipv6_slices_carry_the_tag_as_flow_label(void **state)
{
	size_t len = build_v6(TCP_ACK, 10);
	struct slicer slicer;
	struct segment segment;

	(void)state;
	/* IP6 (class 0x2e, flowlabel 0x54321) */
	memcpy(packet, "\x62\xe5\x43\x21", 4);
	assert_int_equal(slicer_init(&slicer, packet, len, MTU, TAG), 0);
	next_segment(&slicer, &segment);
	assert_memory_equal(out, "\x62\xed\xe1\x23", 4);
	assert_int_equal(out[7], 0);
}

static void df_stays_as_it_was(void **state)
{
	size_t len = build_v4(TCP_ACK, 10);
	struct slicer slicer;
	struct segment segment;

	(void)state;
	/* Without DF, but with the reserved bit, which goes. */
	put16(packet + 6, 0x8000);
	put16(packet + 10, 0);
	put16(packet + 10, (uint16_t)~checksum_fold(checksum_add(0, packet, 20)));
	assert_int_equal(slicer_init(&slicer, packet, len, MTU, TAG), 0);
	next_segment(&slicer, &segment);
	assert_int_equal(out[6] << 8 | out[7], 0);
}

static void syn_cwr_and_the_urgent_pointer_stay_on_the_first(void **state)
{
	size_t len = build_v4(TCP_SYN | TCP_URG | TCP_CWR | TCP_ACK, 2000);
	struct slicer slicer;
	struct segment segment;

	(void)state;
	put16(packet + 20 + 18, 3);
	assert_int_equal(slicer_init(&slicer, packet, len, MTU, TAG), 0);
	next_segment(&slicer, &segment);
	assert_int_equal(segment.flags, TCP_SYN | TCP_URG | TCP_CWR | TCP_ACK);
	assert_int_equal(out[20 + 19], 3);
	next_segment(&slicer, &segment);
	assert_int_equal(segment.flags, TCP_ACK);
	assert_int_equal(out[20 + 19], 0);
	/* The SYN counts one. */
	assert_int_equal(segment.seq, 0xfffffff0 + (MTU - 52) + 1);
}

static void an_unfinished_checksum_becomes_a_complete_one(void **state)
{
	size_t len = build_v4(TCP_ACK, 3000);
	struct segment segment;
	struct slicer slicer;
	int slices = 0;

	(void)state;
	assert_int_equal(segment_parse(packet, len, &segment), SEGMENT_OK);
	put16(packet + 20 + 16,
	      checksum_fold(checksum_pseudo(&segment.tuple.remote.addr, &segment.tuple.local.addr,
					    (uint32_t)len - 20)));
	assert_int_equal(segment_parse(packet, len, &segment), SEGMENT_OK);
	assert_int_equal(segment.checksum, CHECKSUM_PARTIAL);
	assert_int_equal(slicer_init(&slicer, packet, len, MTU, TAG), 0);
	while (next_segment(&slicer, &segment))
		slices++;
	assert_int_equal(slices, 3);
}

static void padding_is_no_payload(void **state)
{
	size_t len = build_v4(TCP_ACK, 0);
	struct slicer slicer;
	struct segment segment;

	(void)state;
	memset(packet + len, 0xee, 8);
	assert_int_equal(slicer_init(&slicer, packet, len + 8, MTU, TAG), 0);
	assert_int_equal(next_segment(&slicer, &segment), len);
	assert_int_equal(next_segment(&slicer, &segment), 0);
}

static void refuses_a_size_without_room_for_payload(void **state)
{
	size_t len = build_v4(TCP_ACK, 10);
	struct slicer slicer;

	(void)state;
	assert_int_equal(slicer_init(&slicer, packet, len, 51, TAG), -EINVAL);
	assert_int_equal(slicer_init(&slicer, packet, len, 52, TAG), -EINVAL);
	assert_int_equal(slicer_init(&slicer, packet, len, 53, TAG), 0);
	len = build_v4(TCP_ACK, 0);
	assert_int_equal(slicer_init(&slicer, packet, len, 52, TAG), 0);
	assert_int_equal(slicer_init(&slicer, packet, len - 1, MTU, TAG), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_packet_without_payload_gives_one_slice),
		cmocka_unit_test(the_slices_are_the_payload_without_gap_or_overlap),
		cmocka_unit_test(a_full_packet_is_not_cut),
		cmocka_unit_test(one_byte_too_many_makes_a_second_slice),
		cmocka_unit_test(ipv4_slices_carry_the_tag_as_identification),
		cmocka_unit_test(ipv6_slices_carry_the_tag_as_flow_label),
		cmocka_unit_test(df_stays_as_it_was),
		cmocka_unit_test(syn_cwr_and_the_urgent_pointer_stay_on_the_first),
		cmocka_unit_test(an_unfinished_checksum_becomes_a_complete_one),
		cmocka_unit_test(padding_is_no_payload),
		cmocka_unit_test(refuses_a_size_without_room_for_payload),
	};

	return cmocka_run_group_tests_name("slice", tests, fill_payload, NULL);
}
