/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Flows: what ingress does in each state, and the race between held and handed off. */
#include "fixture.h"

#include "ip.h"

static const enum nol_flow_state states[] = {NOL_FLOW_SYN_SENT, NOL_FLOW_SYN_RECEIVED,
					     NOL_FLOW_HANDED_OFF, NOL_FLOW_CLOSED};

static int change(enum nol_flow_state to, uint32_t held)
{
	struct tuple tuple = tuple_of(V4_LOCAL, V4_REMOTE);

	return kern_flow_change(kern, &tuple, to, held);
}

static void hold_one(uint8_t flags)
{
	struct frame frame = frame_from(V4_REMOTE, V4_LOCAL, flags);

	assert_int_equal(run_ingress(&frame), XDP_DROP);
	assert_held(&frame, NOL_HOLD_FLOW);
}

static void holds_and_counts_every_packet_of_a_half_open_flow(void **state)
{
	static const uint8_t flags[] = {TCP_SYN, TCP_ACK, TCP_ACK | TCP_PSH, TCP_RST,
					TCP_SYN | TCP_ACK};

	(void)state;
	add_flow(V4_LOCAL, V4_REMOTE, NOL_FLOW_SYN_RECEIVED);
	for (uint32_t i = 0; i < sizeof(flags); i++) {
		hold_one(flags[i]);
		assert_int_equal(taken.record.held, i + 1);
	}
	assert_int_equal(get_flow(V4_LOCAL, V4_REMOTE).held, sizeof(flags));
	assert_counters(offsetof(struct nol_stats, held_flow), sizeof(flags));
}

static void holds_the_packets_of_an_active_open(void **state)
{
	(void)state;
	add_flow(V4_LOCAL, V4_REMOTE, NOL_FLOW_SYN_SENT);
	hold_one(TCP_SYN | TCP_ACK);
	assert_only_counted(held_flow);
}

static void holds_by_flow_whatever_the_address(void **state)
{
	struct frame frame = frame_from(V4_REMOTE, "10.0.0.3:34567", TCP_SYN | TCP_ACK);

	(void)state;
	add_flow("10.0.0.3:34567", V4_REMOTE, NOL_FLOW_SYN_SENT);
	assert_int_equal(run_ingress(&frame), XDP_DROP);
	assert_held(&frame, NOL_HOLD_FLOW);
}

static void takes_the_other_family_or_port_for_another_flow(void **state)
{
	struct frame other = frame_from("10.0.0.1:50815", V4_LOCAL, TCP_ACK);
	struct frame v6 = frame_from(V6_REMOTE, V6_LOCAL, TCP_ACK);

	(void)state;
	add_flow(V4_LOCAL, V4_REMOTE, NOL_FLOW_HANDED_OFF);
	assert_reset(&other);
	assert_reset(&v6);
}

static void passes_what_the_kernel_owns(void **state)
{
	struct frame frame = frame_from(V6_REMOTE, V6_LOCAL, TCP_ACK);
	struct tuple tuple = tuple_of(V6_LOCAL, V6_REMOTE);

	(void)state;
	add_flow(V6_LOCAL, V6_REMOTE, NOL_FLOW_HANDED_OFF);
	assert_int_equal(run_ingress(&frame), XDP_PASS);
	assert_only_counted(ingress_handed_off);
	assert_int_equal(kern_flow_set(kern, &tuple, NOL_FLOW_CLOSED), 0);
	assert_int_equal(run_ingress(&frame), XDP_PASS);
	assert_counters(offsetof(struct nol_stats, ingress_handed_off), 2);
	assert_int_equal(get_flow(V6_LOCAL, V6_REMOTE).held, 0);
	assert_nothing_held();
}

static void holds_a_new_syn_after_a_handed_off_flow(void **state)
{
	struct frame frame = frame_from(V4_REMOTE, V4_LOCAL, TCP_SYN);

	(void)state;
	add_flow(V4_LOCAL, V4_REMOTE, NOL_FLOW_CLOSED);
	assert_int_equal(run_ingress(&frame), XDP_DROP);
	assert_held(&frame, NOL_HOLD_SYN);
	assert_only_counted(held_syn);
}

static void passes_replayed_packets_of_its_flows(void **state)
{
	struct frame v4 = frame_from(V4_REMOTE, V4_LOCAL, TCP_ACK);
	struct frame v6 = frame_from(V6_REMOTE, V6_LOCAL, TCP_ACK);

	(void)state;
	kern_config(kern)->replay_tag = FIXTURE_TAG;
	memcpy(v4.bytes + FIXTURE_ETHERNET + 4, "\xe1\x23", 2);
	memcpy(v6.bytes + FIXTURE_ETHERNET, "\x60\x0d\xe1\x23", 4);
	v4.bytes[FIXTURE_ETHERNET + 8] = v6.bytes[FIXTURE_ETHERNET + 7] = 0;
	add_flow(V4_LOCAL, V4_REMOTE, NOL_FLOW_SYN_RECEIVED);
	add_flow(V6_LOCAL, V6_REMOTE, NOL_FLOW_SYN_RECEIVED);
	assert_int_equal(run_ingress(&v4), XDP_PASS);
	assert_int_equal(run_ingress(&v6), XDP_PASS);
	assert_counters(offsetof(struct nol_stats, ingress_replayed), 2);
	assert_nothing_held();
}

static void takes_a_tagged_packet_without_a_flow_for_a_stray(void **state)
{
	struct frame frame = frame_from(V4_REMOTE, V4_LOCAL, TCP_ACK);

	(void)state;
	kern_config(kern)->replay_tag = FIXTURE_TAG;
	memcpy(frame.bytes + FIXTURE_ETHERNET + 4, "\xe1\x23", 2);
	frame.bytes[FIXTURE_ETHERNET + 8] = 0;
	ip_seal(frame.bytes + FIXTURE_ETHERNET, 20, frame.len - FIXTURE_ETHERNET);
	assert_reset(&frame);
}

/* It came over the wire, and has the tag by chance. */
static void holds_a_tagged_packet_with_a_ttl(void **state)
{
	struct frame frame = frame_from(V4_REMOTE, V4_LOCAL, TCP_ACK);

	(void)state;
	kern_config(kern)->replay_tag = FIXTURE_TAG;
	memcpy(frame.bytes + FIXTURE_ETHERNET + 4, "\xe1\x23", 2);
	frame.bytes[FIXTURE_ETHERNET + 8] = 1;
	add_flow(V4_LOCAL, V4_REMOTE, NOL_FLOW_SYN_RECEIVED);
	assert_int_equal(run_ingress(&frame), XDP_DROP);
	assert_held(&frame, NOL_HOLD_FLOW);
}

static void without_a_tag_nothing_is_replayed(void **state)
{
	struct frame frame = frame_from(V4_REMOTE, V4_LOCAL, TCP_ACK);

	(void)state;
	memset(frame.bytes + FIXTURE_ETHERNET + 4, 0, 2);
	frame.bytes[FIXTURE_ETHERNET + 8] = 0;
	add_flow(V4_LOCAL, V4_REMOTE, NOL_FLOW_SYN_RECEIVED);
	assert_int_equal(run_ingress(&frame), XDP_DROP);
	assert_held(&frame, NOL_HOLD_FLOW);
}

static void changes_the_state_if_nothing_more_was_held(void **state)
{
	struct nol_flow flow;

	(void)state;
	add_flow(V4_LOCAL, V4_REMOTE, NOL_FLOW_SYN_RECEIVED);
	hold_one(TCP_ACK);
	hold_one(TCP_ACK);
	assert_int_equal(change(NOL_FLOW_HANDED_OFF, 2), 0);
	flow = get_flow(V4_LOCAL, V4_REMOTE);
	assert_int_equal(flow.state, NOL_FLOW_HANDED_OFF);
	assert_int_equal(flow.held, 2);
	assert_int_equal(flow.method, NOL_METHOD_ENGINE);
}

static void refuses_the_change_if_more_was_held(void **state)
{
	(void)state;
	add_flow(V4_LOCAL, V4_REMOTE, NOL_FLOW_SYN_RECEIVED);
	hold_one(TCP_ACK);
	assert_int_equal(change(NOL_FLOW_HANDED_OFF, 0), -EAGAIN);
	assert_int_equal(get_flow(V4_LOCAL, V4_REMOTE).state, NOL_FLOW_SYN_RECEIVED);
	hold_one(TCP_ACK);
	assert_int_equal(change(NOL_FLOW_HANDED_OFF, 1), -EAGAIN);
	assert_int_equal(change(NOL_FLOW_HANDED_OFF, 2), 0);
}

static void tells_how_many_were_held(void **state)
{
	struct tuple tuple = tuple_of(V4_LOCAL, V4_REMOTE);
	struct nol_flow_change request = {.to = NOL_FLOW_HANDED_OFF, .held = 7};
	LIBBPF_OPTS(bpf_test_run_opts, run, .ctx_in = &request, .ctx_size_in = sizeof(request));

	(void)state;
	add_flow(V4_LOCAL, V4_REMOTE, NOL_FLOW_SYN_RECEIVED);
	hold_one(TCP_ACK);
	kern_flow_key(&tuple, &request.key);
	assert_int_equal(
		bpf_prog_test_run_opts(bpf_program__fd(kern->skel->progs.nol_flow_set), &run), 0);
	assert_int_equal(request.result, -EAGAIN);
	assert_int_equal(request.held, 1);
}

static void changes_no_flow_that_is_not_there(void **state)
{
	struct tuple tuple = tuple_of(V4_LOCAL, V4_REMOTE);
	struct nol_flow flow;

	(void)state;
	assert_int_equal(change(NOL_FLOW_HANDED_OFF, 0), -ENOENT);
	assert_int_equal(kern_flow_set(kern, &tuple, NOL_FLOW_CLOSED), -ENOENT);
	assert_int_equal(kern_flow_get(kern, &tuple, &flow), -ENOENT);
	assert_int_equal(kern_flow_remove(kern, &tuple, NULL), -ENOENT);
}

static void sets_any_state_whatever_was_held(void **state)
{
	struct tuple tuple = tuple_of(V4_LOCAL, V4_REMOTE);

	(void)state;
	add_flow(V4_LOCAL, V4_REMOTE, NOL_FLOW_SYN_RECEIVED);
	hold_one(TCP_ACK);
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		struct nol_flow flow;

		assert_int_equal(kern_flow_set(kern, &tuple, states[i]), 0);
		flow = get_flow(V4_LOCAL, V4_REMOTE);
		assert_int_equal(flow.state, states[i]);
		assert_int_equal(flow.held, 1);
	}
}

static void removes_a_flow_and_gives_its_last_value(void **state)
{
	struct tuple tuple = tuple_of(V4_LOCAL, V4_REMOTE);
	struct nol_flow flow = {};

	(void)state;
	add_flow(V4_LOCAL, V4_REMOTE, NOL_FLOW_SYN_RECEIVED);
	hold_one(TCP_ACK);
	assert_int_equal(kern_flow_remove(kern, &tuple, &flow), 0);
	assert_int_equal(flow.held, 1);
	assert_int_equal(kern_flow_get(kern, &tuple, &flow), -ENOENT);
}

static void refuses_a_flow_twice_and_one_too_many(void **state)
{
	struct nol_flow flow = {.state = NOL_FLOW_SYN_RECEIVED};
	struct tuple tuple = tuple_of(V4_LOCAL, V4_REMOTE);

	(void)state;
	add_flow(V4_LOCAL, V4_REMOTE, NOL_FLOW_SYN_RECEIVED);
	assert_int_equal(kern_flow_add(kern, &tuple, &flow), -EEXIST);
	for (int i = 1; i < 16; i++) {
		tuple.remote.port++;
		assert_int_equal(kern_flow_add(kern, &tuple, &flow), 0);
	}
	tuple.remote.port++;
	assert_int_equal(kern_flow_add(kern, &tuple, &flow), -E2BIG);
}

struct visit {
	uint64_t ports; /* bit n: remote port 1000 + n */
	int left;
};

static bool note_port(void *context, const struct nol_flow_key *key, const struct nol_flow *flow)
{
	struct visit *visit = context;
	struct tuple tuple;

	assert_int_equal(flow->state, NOL_FLOW_SYN_RECEIVED);
	kern_flow_tuple(key, &tuple);
	assert_in_range(tuple.remote.port, 1000, 1015);
	visit->ports |= 1ull << (tuple.remote.port - 1000);
	return --visit->left;
}

static void visits_every_flow_or_stops_when_told(void **state)
{
	struct nol_flow flow = {.state = NOL_FLOW_SYN_RECEIVED};
	struct tuple tuple = tuple_of(V4_LOCAL, V4_REMOTE);
	struct visit all = {.left = 100}, some = {.left = 3};

	(void)state;
	assert_int_equal(kern_flow_visit(kern, note_port, &all), 0);
	for (int i = 0; i < 16; i++) {
		tuple.remote.port = 1000 + i;
		assert_int_equal(kern_flow_add(kern, &tuple, &flow), 0);
	}
	assert_int_equal(kern_flow_visit(kern, note_port, &all), 16);
	assert_int_equal(all.ports, 0xffff);
	assert_int_equal(kern_flow_visit(kern, note_port, &some), 3);
}

/* More of them than one call takes; some are not there, some not closed. */
static void forgets_closed_flows_by_the_batch(void **state)
{
	struct tuple tuples[NOL_FORGET_MAX + 4];
	struct nol_flow flow = {.method = NOL_METHOD_XDP};
	uint32_t left = 0;

	(void)state;
	for (uint32_t i = 0; i < NOL_FORGET_MAX + 4; i++) {
		tuples[i] = tuple_of(V4_LOCAL, V4_REMOTE);
		tuples[i].remote.port = (uint16_t)(1000 + i);
		flow.state = i % 3 ? NOL_FLOW_CLOSED : NOL_FLOW_HANDED_OFF;
		if (i % 5)
			assert_int_equal(kern_flow_add(kern, &tuples[i], &flow), 0);
	}
	assert_int_equal(kern_flow_forget(kern, tuples, NOL_FORGET_MAX + 4), 0);
	for (uint32_t i = 0; i < NOL_FORGET_MAX + 4; i++)
		assert_int_equal(kern_flow_get(kern, &tuples[i], &flow),
				 i % 5 && i % 3 == 0 ? 0 : -ENOENT);
	for (uint32_t i = 0; i < 1 << NOL_FLOW_SLOT_BITS; i++)
		left += kern->skel->bss->nol_flow_counts[i];
	assert_int_equal(left, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(holds_and_counts_every_packet_of_a_half_open_flow),
		fixture_test(holds_the_packets_of_an_active_open),
		fixture_test(holds_by_flow_whatever_the_address),
		fixture_test(takes_the_other_family_or_port_for_another_flow),
		fixture_test(passes_what_the_kernel_owns),
		fixture_test(holds_a_new_syn_after_a_handed_off_flow),
		fixture_test(passes_replayed_packets_of_its_flows),
		fixture_test(takes_a_tagged_packet_without_a_flow_for_a_stray),
		fixture_test(holds_a_tagged_packet_with_a_ttl),
		fixture_test(without_a_tag_nothing_is_replayed),
		fixture_test(changes_the_state_if_nothing_more_was_held),
		fixture_test(refuses_the_change_if_more_was_held),
		fixture_test(tells_how_many_were_held),
		fixture_test(changes_no_flow_that_is_not_there),
		fixture_test(sets_any_state_whatever_was_held),
		fixture_test(removes_a_flow_and_gives_its_last_value),
		fixture_test(refuses_a_flow_twice_and_one_too_many),
		fixture_test(visits_every_flow_or_stops_when_told),
		fixture_test(forgets_closed_flows_by_the_batch),
	};

	if (!fixture_enter())
		return 0;
	return cmocka_run_group_tests_name("flow", tests, NULL, NULL);
}
