/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The short way from SYN to SYN-ACK: taken alone where it may be, and never where the general way would not answer. */
#include "fixture.h"

#include <netinet/in.h>

#include "cookie_fixture.h"

#define ISN 1000u

static struct frame build_syn(const char *local, const char *remote)
{
	struct segment syn = {
		.tuple = tuple_of(remote, local), /* as the sender sees it */
		.seq = ISN,
		.flags = TCP_SYN,
		.window = 64240,
		.options = {.has_mss = true,
			    .mss = 1460,
			    .has_sack_permitted = true,
			    .has_timestamps = true,
			    .tsval = 1,
			    .has_wscale = true,
			    .wscale = 7},
	};
	struct frame frame;

	frame_build(&frame, &syn);
	return frame;
}

static int answer_to(const char *local, const char *remote)
{
	struct frame frame = build_syn(local, remote);

	return run_ingress(&frame);
}

/* What the short way does not take is passed from now on. */
static void close_the_general_way(void)
{
	const __u32 first = 0;

	assert_int_equal(bpf_map_delete_elem(bpf_map__fd(kern->skel->maps.nol_general), &first), 0);
}

static void change_prefix(int (*change)(struct kern *kern, const struct prefix *prefix),
			  const char *text)
{
	struct prefix prefix;

	assert_true(prefix_parse(text, &prefix));
	assert_int_equal(change(kern, &prefix), 0);
}

/* Another address of the same /16 at the same place of nol_addresses. */
static struct prefix find_neighbour(const char *text)
{
	struct prefix prefix, other;
	unsigned int i = 0;

	assert_true(prefix_parse(text, &prefix));
	other = prefix;
	do {
		other.addr.bytes[14] = 1 + (++i >> 8);
		other.addr.bytes[15] = (uint8_t)i;
	} while (nol_address_place(other.addr.bytes) != nol_address_place(prefix.addr.bytes));
	return other;
}

static bool is_any_flow_counted(void)
{
	const __u32 *counts = kern->skel->bss->nol_flow_counts;

	for (size_t i = 0; i < 1 << NOL_FLOW_SLOT_BITS; i++)
		if (counts[i])
			return true;
	return false;
}

static void answers_the_syn_of_linux_by_itself(void **state)
{
	(void)state;
	cookie_enable(NOL_ANSWER_PLAIN);
	close_the_general_way();
	assert_int_equal(answer_to(V4_LOCAL, V4_REMOTE), XDP_TX);
	assert_int_equal(answer_to(V6_LOCAL, V6_REMOTE), XDP_TX);
	assert_counters(offsetof(struct nol_stats, cookie_sent), 2);
}

static void passes_everything_without_the_general_way(void **state)
{
	struct frame frame = frame_from(V4_REMOTE, V4_LOCAL, TCP_ACK);

	(void)state;
	close_the_general_way();
	assert_int_equal(answer_to(V4_LOCAL, V4_REMOTE), XDP_PASS);
	assert_int_equal(run_ingress(&frame), XDP_PASS);
	assert_nothing_held();
	assert_counters(offsetof(struct nol_stats, ingress_cut_off), 2);
}

static void answers_addresses_that_share_a_place(void **state)
{
	const struct prefix other = find_neighbour("10.0.0.2");
	struct endpoint endpoint = {.addr = other.addr, .port = FIXTURE_PORT};
	char local[ENDPOINT_TEXT_SIZE];

	(void)state;
	endpoint_format(&endpoint, local);
	cookie_enable(NOL_ANSWER_PLAIN);
	assert_int_equal(kern_add_prefix(kern, &other), 0);
	assert_int_equal(answer_to(V4_LOCAL, V4_REMOTE), XDP_TX);
	assert_int_equal(answer_to(local, V4_REMOTE), XDP_TX);
	change_prefix(kern_remove_prefix, "10.0.0.2");
	assert_int_equal(answer_to(V4_LOCAL, V4_REMOTE), XDP_PASS);
	assert_int_equal(answer_to(local, V4_REMOTE), XDP_TX);
	assert_int_equal(kern_remove_prefix(kern, &other), 0);
	assert_int_equal(answer_to(local, V4_REMOTE), XDP_PASS);
}

static void forgets_no_address_for_its_prefix(void **state)
{
	(void)state;
	cookie_enable(NOL_ANSWER_PLAIN);
	change_prefix(kern_add_prefix, "10.0.0.0/24");
	change_prefix(kern_remove_prefix, "10.0.0.0/24");
	assert_int_equal(answer_to(V4_LOCAL, V4_REMOTE), XDP_TX);
	assert_int_equal(answer_to("10.0.0.3:34567", V4_REMOTE), XDP_PASS);
}

static void holds_the_syn_of_a_half_open_flow(void **state)
{
	struct frame frame = build_syn(V4_LOCAL, V4_REMOTE);

	(void)state;
	cookie_enable(NOL_ANSWER_PLAIN);
	add_flow(V4_LOCAL, V4_REMOTE, NOL_FLOW_SYN_RECEIVED);
	assert_int_equal(run_ingress(&frame), XDP_DROP);
	assert_held(&frame, NOL_HOLD_FLOW);
	assert_only_counted(held_flow);
}

static void counts_each_flow_once_and_off_again(void **state)
{
	const struct tuple tuple = tuple_of(V6_LOCAL, V6_REMOTE);
	const struct nol_flow flow = {.state = NOL_FLOW_SYN_RECEIVED};

	(void)state;
	assert_false(is_any_flow_counted());
	assert_int_equal(kern_flow_add(kern, &tuple, &flow), 0);
	assert_int_equal(kern_flow_add(kern, &tuple, &flow), -EEXIST);
	assert_true(is_any_flow_counted());
	assert_int_equal(kern_flow_remove(kern, &tuple, NULL), 0);
	assert_false(is_any_flow_counted());
	assert_int_equal(kern_flow_remove(kern, &tuple, NULL), -ENOENT);
	assert_false(is_any_flow_counted());
}

static void counts_the_flow_of_a_cookie(void **state)
{
	const struct tuple tuple = tuple_of(V4_LOCAL, V4_REMOTE);
	struct segment ack = {
		.tuple = tuple_of(V4_REMOTE, V4_LOCAL),
		.seq = ISN + 1,
		.flags = TCP_ACK,
		.window = 500,
	};
	struct frame frame;

	(void)state;
	cookie_enable(NOL_ANSWER_PLAIN);
	ack.ack = cookie_expected(&tuple, ISN, COOKIE_SLOT, 0) + 1;
	frame_build(&frame, &ack);
	assert_int_equal(run_ingress(&frame), XDP_DROP);
	assert_held(&frame, NOL_HOLD_COOKIE);
	assert_true(is_any_flow_counted());
	assert_int_equal(kern_flow_remove(kern, &tuple, NULL), 0);
	assert_false(is_any_flow_counted());
}

static void leaves_what_a_listener_owns_to_it(void **state)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(FIXTURE_PORT)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	(void)state;
	cookie_enable(NOL_ANSWER_PLAIN);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(answer_to(V4_LOCAL, V4_REMOTE), XDP_PASS);
	close(fd);
	assert_only_counted(ingress_owned);
}

static void answers_no_odd_source(void **state)
{
	static const char *const odd[] = {"224.0.0.1:50814", "127.0.0.1:50814", "0.1.2.3:50814",
					  "255.255.255.255:50814", "10.0.0.2:50814"};

	(void)state;
	cookie_enable(NOL_ANSWER_PLAIN);
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		assert_int_equal(answer_to(V4_LOCAL, odd[i]), XDP_PASS);
	assert_counters(offsetof(struct nol_stats, ingress_odd), 5);
}

static void answers_nothing_once_the_heartbeat_has_stopped(void **state)
{
	(void)state;
	cookie_enable(NOL_ANSWER_PLAIN);
	kern_config(kern)->heartbeat_ns = clock_monotonic_ns() - 2 * NOL_HEARTBEAT_STALE_NS;
	assert_int_equal(answer_to(V4_LOCAL, V4_REMOTE), XDP_PASS);
	assert_only_counted(ingress_stale);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(answers_the_syn_of_linux_by_itself),
		fixture_test(passes_everything_without_the_general_way),
		fixture_test(answers_addresses_that_share_a_place),
		fixture_test(forgets_no_address_for_its_prefix),
		fixture_test(holds_the_syn_of_a_half_open_flow),
		fixture_test(counts_each_flow_once_and_off_again),
		fixture_test(counts_the_flow_of_a_cookie),
		fixture_test(leaves_what_a_listener_owns_to_it),
		fixture_test(answers_no_odd_source),
		fixture_test(answers_nothing_once_the_heartbeat_has_stopped),
	};

	if (!fixture_enter())
		return 0;
	return cmocka_run_group_tests_name("answer_fast", tests, NULL, NULL);
}
