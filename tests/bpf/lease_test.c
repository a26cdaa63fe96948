/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The lease guard's verdicts on what comes in, and the filters of it on clsact. Egress asks whose socket a segment is of, which
 * a run of the program cannot have: tests/netns/guard_leases.bats has that.
 */
#include "attach_fixture.h"

#include "lease_list.h"
#include "lease_private.h"

#define PASSED (-1)
#define ENDED 2
#define LEASED_LOCAL "10.0.0.2:40000"

static struct lease_guard *guard;

static void open_guard(struct lease_guard_options options)
{
	if (!options.ifname) {
		options.ifname = "lo";
		options.ifindex = 1;
	}
	options.has_link_header = true;
	options.expiry_s = options.expiry_s ?: 120;
	options.max_leases = options.max_leases ?: 64;
	assert_int_equal(lease_guard_new(&guard, &options), 0);
	/* A test may take longer than the heartbeat is good for, on a machine that stands still. */
	guard->page->heartbeat_ns = clock_monotonic_ns() + FIXTURE_LIFE_NS;
}

static int close_guard(void **state)
{
	(void)state;
	lease_guard_free(guard);
	guard = NULL;
	return 0;
}

static struct nol_flow_key key_of(const char *local, const char *remote)
{
	struct nol_flow_key key = {};
	struct tuple tuple = tuple_of(local, remote ?: V4_REMOTE);

	memcpy(key.local_addr, tuple.local.addr.bytes, 16);
	key.local_port = tuple.local.port;
	if (!remote)
		return key;
	memcpy(key.remote_addr, tuple.remote.addr.bytes, 16);
	key.remote_port = tuple.remote.port;
	return key;
}

/* Lease it, as egress does, so many seconds ago. */
static void lease(const char *local, const char *remote, uint64_t age_s,
		  enum nol_guard_sender sender)
{
	const struct nol_flow_key key = key_of(local, remote);
	const uint64_t since_ns = clock_monotonic_ns() - age_s * CLOCK_NS_PER_S;
	const struct nol_lease value = {
		.sender = sender, .leased_ns = since_ns, .out_ns = since_ns};
	const int fd = bpf_map__fd(guard->skel->maps.nol_leases);

	guard->skel->bss->nol_guard_ports[0][key.local_port >> 6] |= 1ull << (key.local_port & 63);
	assert_int_equal(bpf_map_update_elem(fd, &key, &value, BPF_ANY), 0);
}

static struct nol_lease get_lease(const char *local, const char *remote)
{
	const struct nol_flow_key key = key_of(local, remote);
	struct nol_lease value = {};

	assert_int_equal(
		bpf_map_lookup_elem(bpf_map__fd(guard->skel->maps.nol_leases), &key, &value), 0);
	return value;
}

/* To the loopback's address, so that it is to this host. */
static struct frame frame_in(const char *remote, const char *local)
{
	struct frame frame = frame_from(remote, local, TCP_SYN | TCP_ACK);

	memset(frame.bytes, 0, 6);
	return frame;
}

static int run_in(const struct frame *frame)
{
	return run_program(guard->skel->progs.nol_guard_in, frame, NULL);
}

static void assert_guard_counter(size_t offset)
{
	struct nol_guard_stats stats, expected = {};

	assert_int_equal(lease_guard_stats(guard, &stats), 0);
	if (offset < sizeof(stats))
		*(__u64 *)((char *)&expected + offset) = 1;
	assert_memory_equal(&stats, &expected, sizeof(stats));
}

#define ASSERT_IN(frame, verdict, name)                                       \
	do {                                                                  \
		assert_int_equal(run_in(frame), verdict);                     \
		assert_guard_counter(offsetof(struct nol_guard_stats, name)); \
	} while (0)

#define assert_not_counted() assert_guard_counter(sizeof(struct nol_guard_stats))

static void ends_a_segment_of_a_lease(void **state)
{
	struct frame frame = frame_in(V4_REMOTE, LEASED_LOCAL);
	struct nol_lease value;

	(void)state;
	open_guard((struct lease_guard_options){});
	lease(LEASED_LOCAL, V4_REMOTE, 1, NOL_SENDER_RAW);
	ASSERT_IN(&frame, ENDED, in_ended);
	value = get_lease(LEASED_LOCAL, V4_REMOTE);
	assert_int_equal(value.in, 1);
	assert_int_equal(value.ended, 1);
	assert_true(value.in_ns > value.out_ns);
}

static void ends_one_over_ipv6_behind_extension_headers(void **state)
{
	struct frame frame = frame_in(V6_REMOTE, V6_LOCAL);

	(void)state;
	open_guard((struct lease_guard_options){});
	lease(V6_LOCAL, V6_REMOTE, 1, NOL_SENDER_PACKET);
	frame.bytes[FIXTURE_ETHERNET + 6] = IPPROTO_DSTOPTS;
	frame_insert(&frame, FIXTURE_ETHERNET + 40, "\x06\0\0\0\0\0\0\0", 8);
	frame_grow_ip(&frame, 8);
	ASSERT_IN(&frame, ENDED, in_ended);
}

static void passes_what_has_no_lease_without_counting(void **state)
{
	struct frame port = frame_in(V4_REMOTE, "10.0.0.2:40001");

	(void)state;
	open_guard((struct lease_guard_options){});
	lease(LEASED_LOCAL, V4_REMOTE, 1, NOL_SENDER_RAW);
	assert_int_equal(run_in(&port), PASSED);
	assert_not_counted();
}

static void passes_the_leased_port_of_another_flow(void **state)
{
	struct frame frame = frame_in("10.0.0.9:80", LEASED_LOCAL);

	(void)state;
	open_guard((struct lease_guard_options){});
	lease(LEASED_LOCAL, V4_REMOTE, 1, NOL_SENDER_RAW);
	ASSERT_IN(&frame, PASSED, in_not_ours);
}

static void a_leased_port_is_leased_towards_all(void **state)
{
	struct frame frame = frame_in("10.0.0.9:80", LEASED_LOCAL);

	(void)state;
	open_guard((struct lease_guard_options){.mode = NOL_GUARD_LEASED_PORTS});
	lease(LEASED_LOCAL, NULL, 1, NOL_SENDER_RAW);
	ASSERT_IN(&frame, ENDED, in_ended);
}

static void passes_what_has_expired(void **state)
{
	struct frame frame = frame_in(V4_REMOTE, LEASED_LOCAL);

	(void)state;
	open_guard((struct lease_guard_options){.expiry_s = 5});
	lease(LEASED_LOCAL, V4_REMOTE, 6, NOL_SENDER_RAW);
	ASSERT_IN(&frame, PASSED, in_not_ours);
}

static void passes_everything_once_the_heartbeat_has_stopped(void **state)
{
	struct frame frame = frame_in(V4_REMOTE, LEASED_LOCAL);

	(void)state;
	open_guard((struct lease_guard_options){});
	lease(LEASED_LOCAL, V4_REMOTE, 1, NOL_SENDER_RAW);
	guard->page->heartbeat_ns = clock_monotonic_ns() - NOL_HEARTBEAT_STALE_NS - CLOCK_NS_PER_S;
	ASSERT_IN(&frame, PASSED, in_stale);
}

static void passes_what_raw_sockets_wait_for(void **state)
{
	struct frame frame = frame_in(V4_REMOTE, LEASED_LOCAL);

	(void)state;
	open_guard((struct lease_guard_options){});
	lease(LEASED_LOCAL, V4_REMOTE, 1, NOL_SENDER_RAW_TCP);
	ASSERT_IN(&frame, PASSED, in_passed);
	assert_int_equal(get_lease(LEASED_LOCAL, V4_REMOTE).in, 1);
	close_guard(state);
	open_guard((struct lease_guard_options){.raw = NOL_RAW_HOLD});
	lease(LEASED_LOCAL, V4_REMOTE, 1, NOL_SENDER_RAW_TCP);
	ASSERT_IN(&frame, ENDED, in_ended);
	close_guard(state);
	open_guard((struct lease_guard_options){});
	lease_guard_set_raw_sockets(guard, true);
	lease(LEASED_LOCAL, V4_REMOTE, 1, NOL_SENDER_RAW);
	ASSERT_IN(&frame, PASSED, in_passed);
}

static void passes_what_is_to_another_host_or_vlan_or_in_fragments(void **state)
{
	struct frame other = frame_in(V4_REMOTE, LEASED_LOCAL), fragment = other, tagged = other;
	struct __sk_buff skb = {.ifindex = 1};

	(void)state;
	open_guard((struct lease_guard_options){});
	lease(LEASED_LOCAL, V4_REMOTE, 1, NOL_SENDER_RAW);
	other.bytes[0] = 2;
	assert_int_equal(run_program(guard->skel->progs.nol_guard_in, &other, &skb), PASSED);
	fragment.bytes[FIXTURE_ETHERNET + 6] = 0x20;
	assert_int_equal(run_in(&fragment), PASSED);
	frame_insert(&tagged, 12, "\x81\x00\x00\x05", 4);
	assert_int_equal(run_in(&tagged), PASSED);
	assert_not_counted();
}

static void a_list_of_ports_needs_no_lease_and_minds_the_remotes(void **state)
{
	struct frame in = frame_in(V4_REMOTE, "127.0.0.1:40000");
	struct frame out = frame_in("10.0.1.1:80", "127.0.0.1:40000");
	struct port_set ports = {};
	struct prefix remote;

	(void)state;
	assert_true(prefix_parse("10.0.0.0/24", &remote));
	port_set_add(&ports, 40000);
	open_guard((struct lease_guard_options){
		.mode = NOL_GUARD_PORTS, .ports = &ports, .remotes = &remote, .remote_count = 1});
	ASSERT_IN(&in, ENDED, in_ended);
	close_guard(state);
	open_guard((struct lease_guard_options){
		.mode = NOL_GUARD_PORTS, .ports = &ports, .remotes = &remote, .remote_count = 1});
	ASSERT_IN(&out, PASSED, in_not_ours);
}

static void a_lease_in_use_outlasts_the_turns_of_the_ports(void **state)
{
	struct frame frame = frame_in(V4_REMOTE, LEASED_LOCAL);

	(void)state;
	open_guard((struct lease_guard_options){});
	lease(LEASED_LOCAL, V4_REMOTE, 1, NOL_SENDER_RAW);
	for (int turn = 0; turn < 5; turn++) {
		guard->turned_ns = clock_monotonic_ns() - guard->page->expiry_ns - 1;
		lease_guard_beat(guard);
		assert_int_equal(run_in(&frame), ENDED);
	}
	/* Nothing for two turns: it is not even looked up. */
	for (int turn = 0; turn < 2; turn++) {
		guard->turned_ns = clock_monotonic_ns() - guard->page->expiry_ns - 1;
		lease_guard_beat(guard);
	}
	assert_int_equal(run_in(&frame), PASSED);
}

static void removes_what_has_long_expired(void **state)
{
	(void)state;
	open_guard((struct lease_guard_options){});
	lease(LEASED_LOCAL, V4_REMOTE, 1, NOL_SENDER_RAW);
	lease(V4_LOCAL, V4_REMOTE, 1000, NOL_SENDER_RAW);
	guard->swept_ns = clock_monotonic_ns() - 60 * CLOCK_NS_PER_S;
	lease_guard_beat(guard);
	assert_int_equal(guard->page->removed, 1);
	get_lease(LEASED_LOCAL, V4_REMOTE);
}

static void beats_while_it_removes(void **state)
{
	char local[32];

	(void)state;
	open_guard((struct lease_guard_options){.max_leases = 65536});
	for (int port = 1; port <= 5000; port++) {
		snprintf(local, sizeof(local), "10.0.0.2:%d", port);
		lease(local, V4_REMOTE, 1000, NOL_SENDER_RAW);
	}
	guard->swept_ns = clock_monotonic_ns() - 60 * CLOCK_NS_PER_S;
	lease_guard_beat(guard);
	assert_int_equal(guard->page->removed, 5000);
	/* swept_ns: when it began. */
	assert_true(guard->page->heartbeat_ns > guard->swept_ns);
}

#define lease_test(f) cmocka_unit_test_teardown(f, close_guard)

int main(void)
{
	const struct CMUnitTest tests[] = {
		lease_test(ends_a_segment_of_a_lease),
		lease_test(ends_one_over_ipv6_behind_extension_headers),
		lease_test(passes_what_has_no_lease_without_counting),
		lease_test(passes_the_leased_port_of_another_flow),
		lease_test(a_leased_port_is_leased_towards_all),
		lease_test(passes_what_has_expired),
		lease_test(passes_everything_once_the_heartbeat_has_stopped),
		lease_test(passes_what_raw_sockets_wait_for),
		lease_test(passes_what_is_to_another_host_or_vlan_or_in_fragments),
		lease_test(a_list_of_ports_needs_no_lease_and_minds_the_remotes),
		lease_test(a_lease_in_use_outlasts_the_turns_of_the_ports),
		lease_test(removes_what_has_long_expired),
		lease_test(beats_while_it_removes),
	};

	if (!fixture_enter())
		return 0;
	return cmocka_run_group_tests_name("lease", tests, NULL, NULL);
}
