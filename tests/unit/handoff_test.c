/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a hand-off to a socket of the kernel does with a SYN that may be for the next connection. */
#include "handoff.h"

#include <string.h>

#include "clock.h"
#include "cmocka_setup.h"
#include "own_netns.h"
#include "raw_replay.h"
#include "repair.h"

static struct loop *loop;
static struct service *service;
static struct events *events;
static struct engine *engine;
static struct handoff *handoff;
static struct session_stats stats;

static struct raw_replay *raw;
static unsigned int replayed, came_again;

static int replay(struct wire *unused, const struct held_packet *packet)
{
	(void)unused;
	replayed++;
	return raw ? raw_replay_packet(raw, packet) : 0;
}

static void take_again(void *context, const struct held_packet *packet)
{
	struct segment segment;

	(void)context;
	assert_int_equal(segment_parse(packet->frame, packet->frame_len, &segment), SEGMENT_OK);
	assert_int_equal(segment.flags, TCP_SYN);
	assert_int_equal(packet->held, 0);
	came_again++;
}

static int hand_off_flow(struct flows *unused, const struct tuple *tuple, uint32_t held)
{
	(void)unused;
	(void)tuple;
	(void)held;
	return 0;
}

static const struct wire_ops wire_ops = {.replay = replay};
static struct wire wire = {.ops = &wire_ops};

static const struct flows_ops flows_ops = {.hand_off = hand_off_flow};
static struct flows flows = {.ops = &flows_ops};
static struct socket_maker *maker;
static struct engine_flow *flow;

/* An established flow between two addresses of lo, at the head of the list. */
static void add_flow(uint64_t now_ns)
{
	const struct nol_terms cookie = {.mss = 1460};
	struct segment segment = {.seq = 1001, .ack = 5001, .flags = TCP_ACK, .window = 1000};
	struct engine_action action;

	assert_true(endpoint_parse("127.0.0.1:1000", &segment.tuple.local));
	assert_true(endpoint_parse("127.0.0.2:2000", &segment.tuple.remote));
	engine_adopt(engine, &segment, &cookie, now_ns, &action);
	assert_int_equal(action.event, ENGINE_EVENT_ESTABLISHED);
	flow = action.flow;
	assert_int_equal(handoff_add(handoff, flow, NULL), 0);
}

static void store(uint8_t flags, uint32_t seq)
{
	const struct segment segment = {
		.tuple = {.local = flow->tuple.remote, .remote = flow->tuple.local},
		.seq = seq,
		.ack = flags & TCP_ACK ? flow->iss + 1 : 0,
		.flags = flags,
		.window = 1000,
	};
	uint8_t frame[128];
	const struct held_packet packet = {
		.frame = frame,
		.frame_len = (uint32_t)segment_build(&segment, frame, sizeof(frame)),
		.l4_offset = 20,
		.is_whole = true,
		.held = 3,
	};

	handoff_store(handoff, flow, &packet);
}

static void a_syn_behind_a_reset_begins_the_next_connection(void **state)
{
	const uint64_t now_ns = clock_monotonic_ns();

	(void)state;
	assert_int_equal(raw_replay_new(&raw, 0, 1500), 0);
	add_flow(now_ns);
	store(TCP_ACK, 1001);
	store(TCP_RST | TCP_ACK, 1001);
	store(TCP_SYN, 90000);
	handoff_work(handoff, now_ns);
	assert_int_equal(replayed, 2);
	assert_int_equal(came_again, 1);
	raw_replay_free(raw);
	raw = NULL;
}

static void a_syn_to_a_living_socket_is_the_socket_s(void **state)
{
	const uint64_t now_ns = clock_monotonic_ns();

	(void)state;
	add_flow(now_ns);
	store(TCP_ACK, 1001);
	store(TCP_SYN, 90000);
	handoff_work(handoff, now_ns);
	assert_int_equal(replayed, 2);
	assert_int_equal(came_again, 0);
}

static int set_up(void **state)
{
	const struct engine_config config = {
		.max_flows = 16,
		.settings = {.v4 = {.mss = 1460, .path_mss = 1460, .window = {65535, 65535}}},
	};
	const struct service_options service_options = {.max_children = 1};
	const struct events_options events_options = {.is_quiet = true};
	static const struct socket_place place;
	struct handoff_options options = {
		.wire = &wire, .flows = &flows, .stats = &stats, .again = take_again};
	const char *error;

	(void)state;
	replayed = came_again = 0;
	memset(&stats, 0, sizeof(stats));
	assert_int_equal(loop_new(&loop), 0);
	assert_int_equal(service_new(&service, "discard", &service_options, loop, &error), 0);
	assert_int_equal(events_new(&events, &events_options), 0);
	assert_int_equal(engine_new(&engine, &config), 0);
	assert_int_equal(repair_new(&maker, &place, WIRE_SHIELD_HOLD, NULL), 0);
	options.engine = engine;
	options.maker = maker;
	options.loop = loop;
	options.service = service;
	options.events = events;
	assert_int_equal(handoff_new(&handoff, &options), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	handoff_free(handoff);
	socket_maker_free(maker);
	engine_free(engine);
	events_free(events);
	service_free(service);
	loop_free(loop);
	return 0;
}

#define handoff_test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		handoff_test(a_syn_behind_a_reset_begins_the_next_connection),
		handoff_test(a_syn_to_a_living_socket_is_the_socket_s),
	};

	if (!own_netns_enter())
		return own_netns_skip("handoff");
	return cmocka_run_group_tests_name("handoff", tests, NULL, NULL);
}
