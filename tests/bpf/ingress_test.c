/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Ingress: what it parses, what it passes and what it holds. */
#include "fixture.h"

static void assert_passed(const struct frame *frame)
{
	assert_int_equal(run_ingress(frame), XDP_PASS);
	assert_nothing_held();
}

#define ASSERT_PASSED_AS(frame, name)      \
	do {                               \
		assert_passed(frame);      \
		assert_only_counted(name); \
	} while (0)

static void assert_syn_held(const struct frame *frame)
{
	assert_int_equal(run_ingress(frame), XDP_DROP);
	assert_held(frame, NOL_HOLD_SYN);
	assert_only_counted(held_syn);
}

static void holds_a_syn_to_an_answered_port(void **state)
{
	struct frame frame = frame_from(V4_REMOTE, V4_LOCAL, TCP_SYN);
	__u64 before_ns = clock_monotonic_ns();

	(void)state;
	assert_syn_held(&frame);
	assert_int_equal(taken.record.l3_offset, FIXTURE_ETHERNET);
	assert_int_equal(taken.record.held, 0);
	assert_int_equal(taken.record.is_turned, 0);
	assert_in_range(taken.record.held_ns, before_ns, clock_monotonic_ns());
}

static void holds_a_syn_over_ipv6(void **state)
{
	struct frame frame = frame_from(V6_REMOTE, V6_LOCAL, TCP_SYN);

	(void)state;
	assert_syn_held(&frame);
}

static void holds_a_syn_with_other_flags(void **state)
{
	struct frame frame =
		frame_from(V4_REMOTE, V4_LOCAL, TCP_SYN | TCP_PSH | TCP_URG | TCP_ECE | TCP_CWR);

	(void)state;
	assert_syn_held(&frame);
}

static void holds_source_port_0(void **state)
{
	struct frame frame = frame_from(V4_REMOTE, V4_LOCAL, TCP_SYN);

	(void)state;
	memset(frame.bytes + FIXTURE_ETHERNET + 20, 0, 2);
	assert_syn_held(&frame);
}

static void passes_an_unanswered_port_without_counting(void **state)
{
	struct frame frame = frame_from(V4_REMOTE, "10.0.0.2:34568", TCP_SYN);

	(void)state;
	assert_passed(&frame);
	assert_counters(0, 0);
}

static void passes_an_unanswered_address(void **state)
{
	struct frame frame = frame_from(V4_REMOTE, "10.0.0.3:34567", TCP_SYN);

	(void)state;
	ASSERT_PASSED_AS(&frame, ingress_not_answered);
}

static void passes_an_address_that_was_removed(void **state)
{
	struct frame frame = frame_from(V6_REMOTE, V6_LOCAL, TCP_SYN);
	struct prefix prefix;

	(void)state;
	assert_true(prefix_parse("fd00::/64", &prefix));
	assert_int_equal(kern_remove_prefix(kern, &prefix), 0);
	assert_int_equal(kern_remove_prefix(kern, &prefix), -ENOENT);
	ASSERT_PASSED_AS(&frame, ingress_not_answered);
}

static void passes_once_the_heartbeat_has_stopped(void **state)
{
	struct frame frame = frame_from(V4_REMOTE, V4_LOCAL, TCP_SYN);

	(void)state;
	kern_config(kern)->heartbeat_ns =
		clock_monotonic_ns() - NOL_HEARTBEAT_STALE_NS - CLOCK_NS_PER_S;
	ASSERT_PASSED_AS(&frame, ingress_stale);
}

static void holds_with_vlan_tag_0(void **state)
{
	struct frame frame = frame_from(V4_REMOTE, V4_LOCAL, TCP_SYN);

	(void)state;
	frame_insert(&frame, 12, "\x81\x00\xe0\x00", 4); /* priority 7 */
	assert_syn_held(&frame);
	assert_int_equal(taken.record.l3_offset, FIXTURE_ETHERNET + 4);
}

static void passes_other_vlan_tags(void **state)
{
	struct frame frame = frame_from(V4_REMOTE, V4_LOCAL, TCP_SYN);

	(void)state;
	frame_insert(&frame, 12, "\x81\x00\x00\x05", 4);
	ASSERT_PASSED_AS(&frame, ingress_not_tcp);
}

static void passes_two_vlan_tags(void **state)
{
	struct frame frame = frame_from(V4_REMOTE, V4_LOCAL, TCP_SYN);

	(void)state;
	frame_insert(&frame, 12, "\x88\xa8\x00\x00\x81\x00\x00\x00", 8);
	ASSERT_PASSED_AS(&frame, ingress_not_tcp);
}

static void passes_udp_and_arp(void **state)
{
	struct frame udp = frame_from(V4_REMOTE, V4_LOCAL, TCP_SYN), arp = udp;

	(void)state;
	udp.bytes[FIXTURE_ETHERNET + 9] = IPPROTO_UDP;
	arp.bytes[13] = 6;
	assert_passed(&udp);
	assert_passed(&arp);
	assert_counters(offsetof(struct nol_stats, ingress_not_tcp), 2);
}

static void passes_an_ip_version_that_lies(void **state)
{
	struct frame v4 = frame_from(V4_REMOTE, V4_LOCAL, TCP_SYN);
	struct frame v6 = frame_from(V6_REMOTE, V6_LOCAL, TCP_SYN);

	(void)state;
	v4.bytes[FIXTURE_ETHERNET] = 0x65;
	v6.bytes[FIXTURE_ETHERNET] = 0x40;
	assert_passed(&v4);
	assert_passed(&v6);
	assert_counters(offsetof(struct nol_stats, ingress_not_tcp), 2);
}

static void passes_ipv4_fragments(void **state)
{
	struct frame first = frame_from(V4_REMOTE, V4_LOCAL, TCP_SYN), later = first;

	(void)state;
	first.bytes[FIXTURE_ETHERNET + 6] = 0x20;
	later.bytes[FIXTURE_ETHERNET + 7] = 1;
	assert_passed(&first);
	assert_passed(&later);
	assert_counters(offsetof(struct nol_stats, ingress_fragment), 2);
}

static void walks_ipv4_options(void **state)
{
	struct frame frame = frame_from(V4_REMOTE, V4_LOCAL, TCP_SYN);
	uint8_t nops[40];

	(void)state;
	memset(nops, 1, sizeof(nops));
	frame_insert(&frame, FIXTURE_ETHERNET + 20, nops, sizeof(nops));
	frame.bytes[FIXTURE_ETHERNET] = 0x4f;
	frame_grow_ip(&frame, sizeof(nops));
	assert_syn_held(&frame);
}

static void passes_a_short_ihl(void **state)
{
	struct frame frame = frame_from(V4_REMOTE, V4_LOCAL, TCP_SYN);

	(void)state;
	frame.bytes[FIXTURE_ETHERNET] = 0x44;
	ASSERT_PASSED_AS(&frame, ingress_odd);
}

/* Put an extension header of 8 bytes before what follows the IPv6 header. */
static void insert_extension(struct frame *frame, uint8_t kind, uint8_t word_at_2)
{
	uint8_t header[8] = {frame->bytes[FIXTURE_ETHERNET + 6], 0, 0, word_at_2};

	frame->bytes[FIXTURE_ETHERNET + 6] = kind;
	frame_insert(frame, FIXTURE_ETHERNET + 40, header, sizeof(header));
	frame_grow_ip(frame, sizeof(header));
}

static void walks_ipv6_extension_headers(void **state)
{
	struct frame frame = frame_from(V6_REMOTE, V6_LOCAL, TCP_SYN);

	(void)state;
	insert_extension(&frame, IPPROTO_FRAGMENT, 0); /* atomic: a whole packet */
	insert_extension(&frame, IPPROTO_DSTOPTS, 0);
	insert_extension(&frame, IPPROTO_HOPOPTS, 0);
	assert_syn_held(&frame);
}

static void walks_six_extension_headers_and_no_more(void **state)
{
	struct frame frame = frame_from(V6_REMOTE, V6_LOCAL, TCP_SYN);

	(void)state;
	for (int i = 0; i < 6; i++)
		insert_extension(&frame, IPPROTO_DSTOPTS, 0);
	assert_int_equal(run_ingress(&frame), XDP_DROP);
	assert_held(&frame, NOL_HOLD_SYN);
	insert_extension(&frame, IPPROTO_DSTOPTS, 0);
	assert_passed(&frame);
}

static void passes_ipv6_fragments(void **state)
{
	struct frame frame = frame_from(V6_REMOTE, V6_LOCAL, TCP_SYN);

	(void)state;
	insert_extension(&frame, IPPROTO_FRAGMENT, 1); /* more to come */
	ASSERT_PASSED_AS(&frame, ingress_fragment);
}

static void passes_routing_headers(void **state)
{
	struct frame frame = frame_from(V6_REMOTE, V6_LOCAL, TCP_SYN);

	(void)state;
	insert_extension(&frame, IPPROTO_ROUTING, 1);
	ASSERT_PASSED_AS(&frame, ingress_not_tcp);
}

static void passes_every_cut_of_a_frame(void **state)
{
	struct frame frame = frame_from(V6_REMOTE, V6_LOCAL, TCP_SYN);
	size_t full = frame.len;

	(void)state;
	for (frame.len = FIXTURE_ETHERNET; frame.len < full; frame.len++)
		assert_passed(&frame);
	assert_counters(offsetof(struct nol_stats, ingress_odd), full - FIXTURE_ETHERNET);
}

static void passes_an_ip_length_beyond_the_frame(void **state)
{
	struct frame frame = frame_from(V4_REMOTE, V4_LOCAL, TCP_SYN);

	(void)state;
	frame_grow_ip(&frame, 1);
	ASSERT_PASSED_AS(&frame, ingress_odd);
}

static void holds_a_frame_with_padding(void **state)
{
	struct frame frame = frame_from(V4_REMOTE, V4_LOCAL, TCP_SYN);

	(void)state;
	frame.len += 6;
	assert_syn_held(&frame);
}

static void passes_impossible_data_offsets(void **state)
{
	struct frame small = frame_from(V4_REMOTE, V4_LOCAL, TCP_SYN), large = small;

	(void)state;
	small.bytes[FIXTURE_ETHERNET + 20 + 12] = 0x40;
	large.bytes[FIXTURE_ETHERNET + 20 + 12] = 0x60;
	assert_passed(&small);
	assert_passed(&large);
	assert_counters(offsetof(struct nol_stats, ingress_odd), 2);
}

static void passes_a_frame_to_a_group(void **state)
{
	struct frame frame = frame_from(V4_REMOTE, V4_LOCAL, TCP_SYN);

	(void)state;
	frame.bytes[0] = 1;
	ASSERT_PASSED_AS(&frame, ingress_odd);
}

static void passes_sources_that_nobody_answers(void **state)
{
	static const char *const sources[] = {
		"224.0.0.1:5", "0.1.2.3:5", "127.0.0.1:5", "255.255.255.255:5", V4_LOCAL,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		struct frame frame = frame_from(sources[i], V4_LOCAL, TCP_SYN);

		assert_passed(&frame);
	}
	assert_counters(offsetof(struct nol_stats, ingress_odd), 5);
}

static void passes_ipv6_sources_that_nobody_answers(void **state)
{
	static const char *const sources[] = {"[ff02::1]:5", "[::]:5", "[::1]:5", V6_LOCAL};
	struct frame mapped = frame_from(V6_REMOTE, V6_LOCAL, TCP_SYN);

	(void)state;
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		struct frame frame = frame_from(sources[i], V6_LOCAL, TCP_SYN);

		assert_passed(&frame);
	}
	memset(mapped.bytes + FIXTURE_ETHERNET + 8, 0, 10);
	memset(mapped.bytes + FIXTURE_ETHERNET + 18, 0xff, 2);
	assert_passed(&mapped);
	assert_counters(offsetof(struct nol_stats, ingress_odd), 5);
}

static int setup_loopback(void **state)
{
	struct kern_options options = fixture_options();

	(void)state;
	options.is_loopback = true;
	fixture_open(&options);
	return 0;
}

static void holds_loopback_and_own_sources_on_lo(void **state)
{
	struct frame frame = frame_from("127.0.0.1:5", V4_LOCAL, TCP_SYN);

	(void)state;
	assert_int_equal(run_ingress(&frame), XDP_DROP);
	assert_held(&frame, NOL_HOLD_SYN);
	frame = frame_from("[::1]:5", V6_LOCAL, TCP_SYN);
	assert_int_equal(run_ingress(&frame), XDP_DROP);
	assert_held(&frame, NOL_HOLD_SYN);
	frame = frame_from(V4_LOCAL, V4_LOCAL, TCP_SYN);
	assert_int_equal(run_ingress(&frame), XDP_DROP);
	assert_held(&frame, NOL_HOLD_SYN);
}

static int setup_l3(void **state)
{
	struct kern_options options = fixture_options();

	(void)state;
	options.has_link_header = false;
	fixture_open(&options);
	return 0;
}

static void holds_on_a_device_without_link_header(void **state)
{
	static const char *const ends[][2] = {{V4_REMOTE, V4_LOCAL}, {V6_REMOTE, V6_LOCAL}};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct frame frame = frame_from(ends[i][0], ends[i][1], TCP_SYN);

		frame.len -= FIXTURE_ETHERNET;
		memmove(frame.bytes, frame.bytes + FIXTURE_ETHERNET, frame.len);
		assert_int_equal(run_ingress(&frame), XDP_DROP);
		assert_held(&frame, NOL_HOLD_SYN);
		assert_int_equal(taken.record.l3_offset, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(holds_a_syn_to_an_answered_port),
		fixture_test(holds_a_syn_over_ipv6),
		fixture_test(holds_a_syn_with_other_flags),
		fixture_test(holds_source_port_0),
		fixture_test(passes_an_unanswered_port_without_counting),
		fixture_test(passes_an_unanswered_address),
		fixture_test(passes_an_address_that_was_removed),
		fixture_test(passes_once_the_heartbeat_has_stopped),
		fixture_test(holds_with_vlan_tag_0),
		fixture_test(passes_other_vlan_tags),
		fixture_test(passes_two_vlan_tags),
		fixture_test(passes_udp_and_arp),
		fixture_test(passes_an_ip_version_that_lies),
		fixture_test(passes_ipv4_fragments),
		fixture_test(walks_ipv4_options),
		fixture_test(passes_a_short_ihl),
		fixture_test(walks_ipv6_extension_headers),
		fixture_test(walks_six_extension_headers_and_no_more),
		fixture_test(passes_ipv6_fragments),
		fixture_test(passes_routing_headers),
		fixture_test(passes_every_cut_of_a_frame),
		fixture_test(passes_an_ip_length_beyond_the_frame),
		fixture_test(holds_a_frame_with_padding),
		fixture_test(passes_impossible_data_offsets),
		fixture_test(passes_a_frame_to_a_group),
		fixture_test(passes_sources_that_nobody_answers),
		fixture_test(passes_ipv6_sources_that_nobody_answers),
		cmocka_unit_test_setup_teardown(holds_loopback_and_own_sources_on_lo,
						setup_loopback, fixture_teardown),
		cmocka_unit_test_setup_teardown(holds_on_a_device_without_link_header, setup_l3,
						fixture_teardown),
	};

	if (!fixture_enter())
		return 0;
	return cmocka_run_group_tests_name("ingress", tests, NULL, NULL);
}
