/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a hand-off does with packets that are still to come, and with one that comes for the next connection. */
#include "handover.h"

#include <errno.h>
#include <string.h>

#include "clock.h"
#include "cmocka_setup.h"
#include "own_netns.h"
#include "raw_replay.h"

static struct loop *loop;
static struct service *service;
static struct events *events;
static struct engine *engine;
static struct handover *handover;
static struct session_stats stats;
static int hand_off_result;
static unsigned int forced;

static struct raw_replay *raw;
static unsigned int replayed, came_again;

static int replay(struct packet_io *io, const struct held_packet *packet)
{
	(void)io;
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

static int hand_off_flow(struct packet_io *io, const struct tuple *tuple, uint32_t held)
{
	(void)io;
	(void)tuple;
	(void)held;
	return hand_off_result;
}

static void force_flow(struct packet_io *io, const struct tuple *tuple)
{
	(void)io;
	(void)tuple;
	forced++;
}

static const struct packet_io_ops patient_ops = {
	.method = NOL_METHOD_FILTER, .replay = replay, .hand_off_flow = hand_off_flow};
static const struct packet_io_ops ring_ops = {.method = NOL_METHOD_ENGINE,
					      .replay = replay,
					      .hand_off_flow = hand_off_flow,
					      .force_flow = force_flow};

static struct packet_io io;
static struct engine_flow *flow;

/* An established flow between two addresses of lo, at the head of the list. */
static void add_flow(const struct packet_io_ops *ops, uint64_t now_ns)
{
	const struct engine_cookie cookie = {.mss = 1460};
	struct segment segment = {.seq = 1001, .ack = 5001, .flags = TCP_ACK, .window = 1000};
	struct engine_action action;

	io.ops = ops;
	assert_true(endpoint_parse("127.0.0.1:1000", &segment.tuple.local));
	assert_true(endpoint_parse("127.0.0.2:2000", &segment.tuple.remote));
	engine_adopt(engine, &segment, &cookie, now_ns, &action);
	assert_int_equal(action.event, ENGINE_EVENT_ESTABLISHED);
	flow = action.flow;
	assert_int_equal(handover_add(handover, flow, NULL), 0);
}

/* Method connect: the packet that completed the handshake may be younger than the round that takes it. */
static void a_ring_is_waited_for_200_ms(void **state)
{
	const uint64_t now_ns = clock_monotonic_ns();

	(void)state;
	add_flow(&ring_ops, now_ns);
	flow->established_ns = now_ns + CLOCK_NS_PER_MS;
	hand_off_result = -EAGAIN;
	handover_work(handover, now_ns);
	assert_false(handover_is_empty(handover));
	handover_work(handover, now_ns + 199 * CLOCK_NS_PER_MS);
	assert_false(handover_is_empty(handover));
	handover_work(handover, now_ns + 201 * CLOCK_NS_PER_MS);
	assert_true(handover_is_empty(handover));
	assert_int_equal(forced, 1);
	assert_int_equal(stats.handed_off, 1);
}

static void what_is_certain_to_come_is_waited_for(void **state)
{
	const uint64_t now_ns = clock_monotonic_ns();

	(void)state;
	add_flow(&patient_ops, now_ns);
	hand_off_result = -EAGAIN;
	handover_work(handover, now_ns);
	handover_work(handover, now_ns + CLOCK_NS_PER_S);
	assert_false(handover_is_empty(handover));
	hand_off_result = 0;
	handover_work(handover, now_ns + CLOCK_NS_PER_S);
	assert_true(handover_is_empty(handover));
	assert_int_equal(stats.handed_off, 1);
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

	handover_store(handover, flow, &packet);
}

static void a_syn_behind_a_reset_begins_the_next_connection(void **state)
{
	const uint64_t now_ns = clock_monotonic_ns();

	(void)state;
	assert_int_equal(raw_replay_new(&raw, 0, 1500), 0);
	add_flow(&ring_ops, now_ns);
	store(TCP_ACK, 1001);
	store(TCP_RST | TCP_ACK, 1001);
	store(TCP_SYN, 90000);
	hand_off_result = 0;
	handover_work(handover, now_ns);
	assert_int_equal(replayed, 2);
	assert_int_equal(came_again, 1);
	raw_replay_free(raw);
	raw = NULL;
}

static void a_syn_to_a_living_socket_is_the_socket_s(void **state)
{
	const uint64_t now_ns = clock_monotonic_ns();

	(void)state;
	add_flow(&ring_ops, now_ns);
	store(TCP_ACK, 1001);
	store(TCP_SYN, 90000);
	hand_off_result = 0;
	handover_work(handover, now_ns);
	assert_int_equal(replayed, 2);
	assert_int_equal(came_again, 0);
}

static int set_up(void **state)
{
	const struct engine_config config = {.max_flows = 16, .mss_v4 = 1460, .window = 65535};
	const struct service_options service_options = {.max_children = 1};
	const struct events_options events_options = {.is_quiet = true};
	struct handover_options options = {
		.io = &io, .socket = {0}, .stats = &stats, .again = take_again};
	const char *error;

	(void)state;
	forced = replayed = came_again = 0;
	memset(&stats, 0, sizeof(stats));
	assert_int_equal(loop_new(&loop), 0);
	assert_int_equal(service_new(&service, "discard", &service_options, loop, &error), 0);
	assert_int_equal(events_new(&events, &events_options), 0);
	assert_int_equal(engine_new(&engine, &config), 0);
	options.engine = engine;
	options.loop = loop;
	options.service = service;
	options.events = events;
	assert_int_equal(handover_new(&handover, &options), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	handover_free(handover);
	engine_free(engine);
	events_free(events);
	service_free(service);
	loop_free(loop);
	return 0;
}

#define handover_test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		handover_test(a_ring_is_waited_for_200_ms),
		handover_test(what_is_certain_to_come_is_waited_for),
		handover_test(a_syn_behind_a_reset_begins_the_next_connection),
		handover_test(a_syn_to_a_living_socket_is_the_socket_s),
	};

	if (!own_netns_enter())
		return own_netns_skip("handover");
	return cmocka_run_group_tests_name("handover", tests, NULL, NULL);
}
