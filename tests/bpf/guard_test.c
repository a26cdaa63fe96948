/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The egress guard: which RSTs get out. Frames here go from local to remote. */
#include <linux/types.h>
#include <sys/socket.h>

#include <abi/guard.h>

#include "fixture.h"

/* TC_ACT_* as tc sees them. */
#define LET_GO (-1)
#define DROPPED 2
#define REDIRECTED 7

static struct frame rst_of(const char *local, const char *remote)
{
	return frame_from(local, remote, TCP_RST | TCP_ACK);
}

#define ASSERT_VERDICT(frame, verdict, name)                     \
	do {                                                     \
		assert_int_equal(run_egress(frame, 0), verdict); \
		assert_only_counted(name);                       \
	} while (0)

static void drops_the_rst_of_an_answered_port(void **state)
{
	struct frame frame = rst_of(V4_LOCAL, V4_REMOTE);

	(void)state;
	ASSERT_VERDICT(&frame, DROPPED, rst_dropped);
}

static void drops_it_over_ipv6_behind_extension_headers(void **state)
{
	struct frame frame = rst_of(V6_LOCAL, V6_REMOTE);

	(void)state;
	frame.bytes[FIXTURE_ETHERNET + 6] = IPPROTO_DSTOPTS;
	frame_insert(&frame, FIXTURE_ETHERNET + 40, "\x06\0\0\0\0\0\0\0", 8);
	frame_grow_ip(&frame, 8);
	ASSERT_VERDICT(&frame, DROPPED, rst_dropped);
}

static void drops_the_rst_of_a_flow_that_is_not_handed_off(void **state)
{
	struct frame frame = rst_of("10.0.0.3:99", V4_REMOTE);

	(void)state;
	add_flow("10.0.0.3:99", V4_REMOTE, NOL_FLOW_SYN_SENT);
	ASSERT_VERDICT(&frame, DROPPED, rst_dropped);
	assert_int_equal(get_flow("10.0.0.3:99", V4_REMOTE).rst_dropped, 1);
	assert_int_equal(get_flow("10.0.0.3:99", V4_REMOTE).held, 0);
}

static void lets_the_rst_of_a_handed_off_flow_go(void **state)
{
	struct frame frame = rst_of(V4_LOCAL, V4_REMOTE);
	struct tuple tuple = tuple_of(V4_LOCAL, V4_REMOTE);

	(void)state;
	add_flow(V4_LOCAL, V4_REMOTE, NOL_FLOW_HANDED_OFF);
	ASSERT_VERDICT(&frame, LET_GO, rst_handed_off);
	assert_int_equal(kern_flow_set(kern, &tuple, NOL_FLOW_CLOSED), 0);
	assert_int_equal(run_egress(&frame, 0), LET_GO);
	assert_counters(offsetof(struct nol_stats, rst_handed_off), 2);
}

/* 10.0.0.2.34567 > 10.0.0.1.*: Flags [R.], seq 0: the SYN behind it found nobody. */
static void drops_the_refusal_of_a_syn_behind_a_handed_off_flow(void **state)
{
	struct frame frame = rst_of(V4_LOCAL, V4_REMOTE);
	struct frame elsewhere = rst_of("10.0.0.3:99", V4_REMOTE);

	(void)state;
	memset(frame.bytes + FIXTURE_ETHERNET + 24, 0, 4);
	memset(elsewhere.bytes + FIXTURE_ETHERNET + 24, 0, 4);
	add_flow(V4_LOCAL, V4_REMOTE, NOL_FLOW_HANDED_OFF);
	ASSERT_VERDICT(&frame, DROPPED, rst_dropped);
	add_flow("10.0.0.3:99", V4_REMOTE, NOL_FLOW_HANDED_OFF);
	assert_int_equal(run_egress(&elsewhere, 0), LET_GO);
}

static void lets_the_rst_of_an_unanswered_port_or_address_go(void **state)
{
	struct frame port = rst_of("10.0.0.2:34568", V4_REMOTE);
	struct frame address = rst_of("10.0.0.3:34567", V4_REMOTE);

	(void)state;
	assert_int_equal(run_egress(&port, 0), LET_GO);
	assert_int_equal(run_egress(&address, 0), LET_GO);
	assert_counters(offsetof(struct nol_stats, rst_not_ours), 2);
}

static void lets_a_rst_to_an_answered_remote_port_go(void **state)
{
	struct frame frame = rst_of(V4_REMOTE, V4_LOCAL);

	(void)state;
	ASSERT_VERDICT(&frame, LET_GO, rst_not_ours);
}

static void lets_our_own_rst_go(void **state)
{
	struct frame frame = rst_of(V4_LOCAL, V4_REMOTE);

	(void)state;
	assert_int_equal(run_egress(&frame, NOL_MARK), LET_GO);
	assert_only_counted(rst_own);
}

static void lets_every_rst_go_once_the_heartbeat_has_stopped(void **state)
{
	struct frame frame = rst_of(V4_LOCAL, V4_REMOTE);

	(void)state;
	add_flow(V4_LOCAL, V4_REMOTE, NOL_FLOW_SYN_RECEIVED);
	kern_config(kern)->heartbeat_ns =
		clock_monotonic_ns() - NOL_HEARTBEAT_STALE_NS - CLOCK_NS_PER_S;
	ASSERT_VERDICT(&frame, LET_GO, rst_stale);
}

static void lets_what_is_no_rst_go_without_counting(void **state)
{
	static const uint8_t flags[] = {TCP_SYN, TCP_SYN | TCP_ACK, TCP_ACK, TCP_FIN | TCP_ACK};
	struct frame udp = rst_of(V4_LOCAL, V4_REMOTE);

	(void)state;
	for (size_t i = 0; i < sizeof(flags); i++) {
		struct frame frame = frame_from(V4_LOCAL, V4_REMOTE, flags[i]);

		assert_int_equal(run_egress(&frame, 0), LET_GO);
		assert_int_equal(run_egress(&frame, NOL_MARK), LET_GO);
	}
	udp.bytes[FIXTURE_ETHERNET + 9] = IPPROTO_UDP;
	assert_int_equal(run_egress(&udp, 0), LET_GO);
	assert_counters(0, 0);
}

static void lets_every_cut_of_a_rst_go(void **state)
{
	struct frame frame = rst_of(V4_LOCAL, V4_REMOTE);
	size_t full = frame.len;

	(void)state;
	for (frame.len = FIXTURE_ETHERNET + 20; frame.len < full; frame.len++)
		assert_int_equal(run_egress(&frame, 0), LET_GO);
	assert_counters(0, 0);
}

static void lets_another_vlans_rst_go(void **state)
{
	struct frame frame = rst_of(V4_LOCAL, V4_REMOTE);

	(void)state;
	frame_insert(&frame, 12, "\x81\x00\x00\x05", 4);
	assert_int_equal(run_egress(&frame, 0), LET_GO);
	assert_counters(0, 0);
}

static void redirects_if_asked_to(void **state)
{
	struct frame frame = rst_of(V4_LOCAL, V4_REMOTE);

	(void)state;
	add_flow(V4_LOCAL, V4_REMOTE, NOL_FLOW_SYN_RECEIVED);
	kern_config(kern)->rst_action = NOL_RST_REDIRECT;
	kern_config(kern)->redirect_ifindex = 1;
	ASSERT_VERDICT(&frame, REDIRECTED, rst_redirected);
	assert_int_equal(get_flow(V4_LOCAL, V4_REMOTE).rst_dropped, 1);
}

static void drops_if_there_is_nowhere_to_redirect_to(void **state)
{
	struct frame frame = rst_of(V4_LOCAL, V4_REMOTE);

	(void)state;
	kern_config(kern)->rst_action = NOL_RST_REDIRECT;
	ASSERT_VERDICT(&frame, DROPPED, rst_dropped);
}

static void passes_and_counts_if_asked_to(void **state)
{
	struct frame frame = rst_of(V4_LOCAL, V4_REMOTE);

	(void)state;
	add_flow(V4_LOCAL, V4_REMOTE, NOL_FLOW_SYN_RECEIVED);
	kern_config(kern)->rst_action = NOL_RST_PASS;
	ASSERT_VERDICT(&frame, LET_GO, rst_passed);
	assert_int_equal(get_flow(V4_LOCAL, V4_REMOTE).rst_dropped, 0);
}

static int setup_leases(void **state)
{
	struct kern_options options = fixture_options();

	(void)state;
	options.max_leases = 16;
	options.lease_expiry_s = 5;
	fixture_open(&options);
	return 0;
}

/* Fresh for as long as a test takes, or expired. */
static void lease(bool is_out_fresh, bool is_in_fresh)
{
	const uint64_t now_ns = clock_monotonic_ns(), fresh_ns = now_ns + FIXTURE_LIFE_NS,
		       expired_ns = now_ns - 6 * CLOCK_NS_PER_S;
	const struct tuple tuple = tuple_of(V4_LOCAL, V4_REMOTE);
	const struct nol_lease lease = {.out_ns = is_out_fresh ? fresh_ns : expired_ns,
					.in_ns = is_in_fresh ? fresh_ns : expired_ns};
	struct nol_flow_key key;

	kern_flow_key(&tuple, &key);
	assert_int_equal(bpf_map_update_elem(kern_leases_fd(kern), &key, &lease, BPF_ANY), 0);
}

static void leaves_a_leased_flow_to_the_lease_guard_until_it_expires(void **state)
{
	struct frame frame = rst_of(V4_LOCAL, V4_REMOTE);

	(void)state;
	lease(false, true);
	ASSERT_VERDICT(&frame, LET_GO, rst_leased);
	lease(true, false);
	assert_int_equal(run_egress(&frame, 0), LET_GO);
	lease(false, false);
	assert_int_equal(run_egress(&frame, 0), DROPPED);
}

static void turns_every_replayed_packet_round(void **state)
{
	struct frame ack = frame_from(V4_REMOTE, V4_LOCAL, TCP_ACK);
	struct frame rst = rst_of(V4_LOCAL, V4_REMOTE);

	(void)state;
	assert_int_equal(run_egress(&ack, NOL_MARK_REPLAY), REDIRECTED);
	assert_int_equal(run_egress(&rst, NOL_MARK_REPLAY), REDIRECTED);
	assert_counters(offsetof(struct nol_stats, replay_turned), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(drops_the_rst_of_an_answered_port),
		fixture_test(drops_it_over_ipv6_behind_extension_headers),
		fixture_test(drops_the_rst_of_a_flow_that_is_not_handed_off),
		fixture_test(lets_the_rst_of_a_handed_off_flow_go),
		fixture_test(drops_the_refusal_of_a_syn_behind_a_handed_off_flow),
		fixture_test(lets_the_rst_of_an_unanswered_port_or_address_go),
		fixture_test(lets_a_rst_to_an_answered_remote_port_go),
		fixture_test(lets_our_own_rst_go),
		fixture_test(lets_every_rst_go_once_the_heartbeat_has_stopped),
		fixture_test(lets_what_is_no_rst_go_without_counting),
		fixture_test(lets_every_cut_of_a_rst_go),
		fixture_test(lets_another_vlans_rst_go),
		fixture_test(redirects_if_asked_to),
		fixture_test(drops_if_there_is_nowhere_to_redirect_to),
		fixture_test(passes_and_counts_if_asked_to),
		cmocka_unit_test_setup_teardown(
			leaves_a_leased_flow_to_the_lease_guard_until_it_expires, setup_leases,
			fixture_teardown),
		fixture_test(turns_every_replayed_packet_round),
	};

	if (!fixture_enter())
		return 0;
	return cmocka_run_group_tests_name("guard", tests, NULL, NULL);
}
