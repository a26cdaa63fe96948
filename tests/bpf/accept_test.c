/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Method accept: what TC makes of a SYN is, byte for byte, what XDP makes of a plain one; and what passes, and why. That the
 * kernel takes a cookie shows on a real device only: tests/netns/accept.bats.
 */
#include <sys/socket.h>

#include "accept_fixture.h"
#include "ip.h"

/* What XDP makes of the plain one. */
static struct frame expected_of(struct frame syn)
{
	assert_int_equal(run_on(kern->skel->progs.nol_xdp_ingress, &syn), XDP_TX);
	return syn;
}

/* Both have their own millisecond. */
static void assert_same_answer(const struct frame *came, const struct frame *expected)
{
	struct segment a = parsed(came), b = parsed(expected);
	struct frame again;

	assert_int_equal(a.checksum, CHECKSUM_VALID);
	assert_int_equal(b.checksum, CHECKSUM_VALID);
	assert_in_range(a.options.tsval - b.options.tsval, 0, 10000);
	b.options.tsval = a.options.tsval;
	b.tuple = (struct tuple){.local = b.tuple.remote,
				 .remote = b.tuple.local}; /* as its sender */
	frame_build(&again, &b);
	memcpy(again.bytes, expected->bytes, 12);
	assert_int_equal(came->len, again.len);
	assert_memory_equal(came->bytes, again.bytes, again.len);
}

static void assert_answered_like(struct frame frame, const struct frame *plain)
{
	const struct frame expected = expected_of(*plain);

	assert_int_equal(run_tc(&frame), REDIRECTED);
	assert_same_answer(&frame, &expected);
}

static void answers_a_plain_syn_as_xdp_does(void **state)
{
	static const struct tcp_options all[] = {
		{.has_mss = true, .mss = 1460},
		{.has_mss = true, .mss = 1300, .has_timestamps = true, .tsval = 5},
		{.has_mss = true,
		 .mss = 1460,
		 .has_wscale = true,
		 .wscale = 8,
		 .has_sack_permitted = true},
		{0},
	};
	struct frame frame = syn_with(V4_LOCAL, V4_REMOTE, linux_options);

	(void)state;
	assert_answered_like(frame, &frame);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		frame = syn_with(V4_LOCAL, V4_REMOTE, all[i]);
		assert_answered_like(frame, &frame);
		frame = syn_with(V6_LOCAL, V6_REMOTE, all[i]);
		assert_answered_like(frame, &frame);
	}
}

static void takes_ip_options_away(void **state)
{
	const struct frame plain = syn_with(V4_LOCAL, V4_REMOTE, linux_options);
	struct frame frame = plain;
	uint8_t *ip = frame.bytes + FIXTURE_ETHERNET;

	(void)state;
	frame_insert(&frame, FIXTURE_ETHERNET + 20, "\x01\x01\x01\x01\x01\x01\x01\x00", 8);
	ip[0] = 0x47;
	ip_seal(ip, 28, frame.len - FIXTURE_ETHERNET);
	assert_answered_like(frame, &plain);
}

static void takes_extension_headers_away(void **state)
{
	const struct frame plain = syn_with(V6_LOCAL, V6_REMOTE, linux_options);
	struct frame frame = plain;

	(void)state;
	frame.bytes[FIXTURE_ETHERNET + 6] = IPPROTO_DSTOPTS;
	frame_insert(&frame, FIXTURE_ETHERNET + 40, "\x06\0\0\0\0\0\0\0", 8);
	frame_grow_ip(&frame, 8);
	assert_answered_like(frame, &plain);
}

static void ignores_the_data_of_a_syn(void **state)
{
	const struct frame plain = syn_with(V4_LOCAL, V4_REMOTE, linux_options);
	const struct segment with_data = {
		.tuple = tuple_of(V4_REMOTE, V4_LOCAL),
		.seq = ISN,
		.flags = TCP_SYN,
		.window = 64240,
		.options = linux_options,
		.payload =
			(const uint8_t
				 *)"data that is not wanted, of an odd length, over many chunks of the sum.",
		.payload_len = 71,
	};
	struct frame frame;

	(void)state;
	frame_build(&frame, &with_data);
	assert_answered_like(frame, &plain);
}

static void drops_a_wrong_checksum(void **state)
{
	struct frame frame = syn_with(V4_LOCAL, V4_REMOTE, linux_options);

	(void)state;
	frame.bytes[FIXTURE_ETHERNET + 20 + 16] ^= 1;
	assert_int_equal(run_tc(&frame), DROPPED);
	assert_only_counted(accept_unfit);
}

/* A local sender leaves the sum of the pseudo-header there; the SYN-ACK has its own at that place then. */
static void hands_on_a_checksum_that_the_device_is_to_make(void **state)
{
	struct frame frame = syn_with(V4_LOCAL, V4_REMOTE, linux_options);
	uint8_t *tcp = frame.bytes + FIXTURE_ETHERNET + 20;
	uint32_t sum = 0x0a00 + 0x0001 + 0x0a00 + 0x0002 + 6 + 40;

	(void)state;
	tcp[16] = (uint8_t)(sum >> 8);
	tcp[17] = (uint8_t)sum;
	assert_int_equal(run_tc(&frame), REDIRECTED);
	assert_int_equal(tcp[16] << 8 | tcp[17], sum);
	assert_int_equal(parsed(&frame).checksum, CHECKSUM_PARTIAL);
}

static void drops_what_no_cookie_can_carry(void **state)
{
	struct tcp_options small = linux_options;
	struct frame frame;

	(void)state;
	small.mss = 100;
	frame = syn_with(V4_LOCAL, V4_REMOTE, small);
	assert_int_equal(run_tc(&frame), DROPPED);
	assert_only_counted(accept_unfit);
}

static void leaves_source_routes_to_the_kernel(void **state)
{
	struct frame frame = syn_with(V4_LOCAL, V4_REMOTE, linux_options);

	(void)state;
	frame_insert(&frame, FIXTURE_ETHERNET + 20, "\x01\x83\x07\x04\x0a\x00\x00\x05", 8);
	frame.bytes[FIXTURE_ETHERNET] = 0x47;
	ip_seal(frame.bytes + FIXTURE_ETHERNET, 28, frame.len - FIXTURE_ETHERNET);
	assert_int_equal(run_tc(&frame), NEXT);
	assert_only_counted(ingress_odd);
}

static void leaves_a_wrong_checksum_of_ip_to_the_kernel(void **state)
{
	struct frame frame = syn_with(V4_LOCAL, V4_REMOTE, linux_options);

	(void)state;
	frame.bytes[FIXTURE_ETHERNET + 10] ^= 1;
	assert_int_equal(run_tc(&frame), NEXT);
	assert_only_counted(ingress_odd);
}

static void leaves_the_port_of_a_listener_to_it(void **state)
{
	struct frame frame = syn_with("127.0.0.1:34567", "127.0.0.2:40000", linux_options);
	const struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(FIXTURE_PORT)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct prefix prefix;

	(void)state;
	assert_true(prefix_parse("127.0.0.0/8", &prefix));
	assert_int_equal(kern_add_prefix(kern, &prefix), 0);
	frame = syn_with(V4_LOCAL, V4_REMOTE, linux_options);
	assert_int_equal(bind(fd, (const struct sockaddr *)&any, sizeof(any)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(run_tc(&frame), NEXT);
	assert_only_counted(ingress_owned);
	close(fd);
}

static void passes_what_is_not_answered(void **state)
{
	struct frame other_port = frame_from(V4_REMOTE, "10.0.0.2:99", TCP_SYN);
	struct frame other_address = frame_from(V4_REMOTE, "10.0.0.3:34567", TCP_SYN);

	(void)state;
	assert_int_equal(run_tc(&other_port), NEXT);
	assert_int_equal(run_tc(&other_address), NEXT);
	assert_only_counted(ingress_not_answered);
}

static void passes_everything_once_its_owner_is_dead(void **state)
{
	struct frame frame = syn_with(V4_LOCAL, V4_REMOTE, linux_options);

	(void)state;
	kern_config(kern)->heartbeat_ns = 0;
	assert_int_equal(run_tc(&frame), NEXT);
	assert_only_counted(ingress_stale);
}

/* RFC 3168, 6.1.1: a SYN is not ECT; Linux declines ECN to one that is. */
static void agrees_to_ecn_if_the_syn_is_not_ect(void **state)
{
	struct segment syn = {
		.tuple = tuple_of(V4_REMOTE, V4_LOCAL),
		.seq = ISN,
		.flags = TCP_SYN | TCP_ECE | TCP_CWR,
		.window = 64240,
		.options = linux_options,
	};
	struct frame frame;

	(void)state;
	cookie_enable_ecn(NOL_ANSWER_ALL);
	frame_build(&frame, &syn);
	assert_int_equal(run_tc(&frame), REDIRECTED);
	assert_int_equal(parsed(&frame).flags, TCP_SYN | TCP_ACK | TCP_ECE);
	frame_build(&frame, &syn);
	frame.bytes[FIXTURE_ETHERNET + 1] = 2;
	ip_seal(frame.bytes + FIXTURE_ETHERNET, 20, frame.len - FIXTURE_ETHERNET);
	assert_int_equal(run_tc(&frame), REDIRECTED);
	assert_int_equal(parsed(&frame).flags, TCP_SYN | TCP_ACK);
}

/* With no engine behind it the guard stops one sort of RST only. */
static void lets_rsts_go_that_refuse_no_syn(void **state)
{
	struct segment rst = {.tuple = tuple_of(V4_LOCAL, V4_REMOTE), .seq = 77, .flags = TCP_RST};
	struct frame frame;

	(void)state;
	frame_build(&frame, &rst);
	assert_int_equal(run_egress(&frame, 0), NEXT);
	assert_only_counted(rst_stray);
	spare_clear_stats(kern);
	rst = (struct segment){.tuple = rst.tuple, .ack = 1001, .flags = TCP_RST | TCP_ACK};
	frame_build(&frame, &rst);
	assert_int_equal(run_egress(&frame, 0), DROPPED);
	assert_only_counted(rst_dropped);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		accept_test(answers_a_plain_syn_as_xdp_does),
		accept_test(takes_ip_options_away),
		accept_test(takes_extension_headers_away),
		accept_test(ignores_the_data_of_a_syn),
		accept_test(drops_a_wrong_checksum),
		accept_test(hands_on_a_checksum_that_the_device_is_to_make),
		accept_test(drops_what_no_cookie_can_carry),
		accept_test(leaves_source_routes_to_the_kernel),
		accept_test(leaves_a_wrong_checksum_of_ip_to_the_kernel),
		accept_test(leaves_the_port_of_a_listener_to_it),
		accept_test(passes_what_is_not_answered),
		accept_test(passes_everything_once_its_owner_is_dead),
		accept_test(agrees_to_ecn_if_the_syn_is_not_ect),
		accept_test(lets_rsts_go_that_refuse_no_syn),
	};

	if (!fixture_enter())
		return 0;
	if (!kern_can_accept()) {
		printf("1..1\nok 1 # SKIP no bpf_sk_assign_tcp_reqsk() here (Linux 6.9)\n");
		return 0;
	}
	return cmocka_run_group_tests_name("accept", tests, NULL, NULL);
}
