/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Sessions between a fake world (session_io.h) and the real engine, closing, loop and "hold" service, told like this:
 *
 *	syn_in(2000);
 *	ack_in(2000);
 *	run_round(0);
 *	EXPECT_NOTES(2000, "open, <syn>, send S., <established>, take, replay ., hand_off 1, <handed_off>");
 *
 * A remote is named by its port. Packets wait in the wire of worker `to` (0), as ingress would have numbered them.
 */
#ifndef NOLISTEN_TESTS_SESSION_FIXTURE_H
#define NOLISTEN_TESTS_SESSION_FIXTURE_H

#include <dirent.h>

#include "ports.h"
#include "session_maker.h"

#define REMOTE_ISN 1000
#define MS(number) ((number)*CLOCK_NS_PER_MS)

struct fake_worker {
	struct loop *loop;
	struct service *service;
	struct events events;
	struct fake_wire wire;
	struct fake_maker maker;
	struct session *session;
};

static struct fake_worker workers[2];
static struct closing *closing;
static const struct flows_ops *fixture_flows_ops = &ring_flows_ops;
static struct port_set ports;
static unsigned int to; /* the worker whose wire packets come to */
static unsigned int fds_at_start;

/* From now on a flow has a socket from the start. */
static inline void use_early_maker(void)
{
	workers[to].maker.maker.ops = &early_maker_ops;
	workers[to].maker.complete_result = 1;
}

/* A socket that is not connected: its descriptor cannot be written to. */
static inline void start_connecting(void)
{
	workers[to].maker.take_err = -EINPROGRESS;
	assert_int_equal(eventfd_write(workers[to].maker.pending_fd, UINT64_MAX - 1), 0);
}

static inline void end_connecting(int take_err)
{
	eventfd_t ignored;

	workers[to].maker.take_err = take_err;
	assert_int_equal(eventfd_read(workers[to].maker.pending_fd, &ignored), 0);
}

/* Packets. */
static inline struct tuple tuple_of(uint16_t port)
{
	struct tuple tuple;

	assert_true(endpoint_parse("10.0.0.2:80", &tuple.local));
	assert_true(endpoint_parse("10.0.0.1:1", &tuple.remote));
	tuple.remote.port = port;
	return tuple;
}

static inline struct fake_flow *flow_of(uint16_t port)
{
	const struct tuple tuple = tuple_of(port);

	return find_fake_flow(&tuple);
}

/* As ingress does it: what belongs to a flow that is not handed off gets a number. */
static inline void number_packet(struct held_packet *packet, uint16_t port)
{
	struct fake_flow *flow = flow_of(port);

	if (flow && flow->flow.state == NOL_FLOW_SYN_RECEIVED)
		packet->held = ++flow->flow.held;
}

/* A packet of the remote; what is special about it may be added until it is received. */
static inline struct held_packet *segment_in(uint16_t port, uint8_t flags, uint32_t seq,
					     uint32_t ack, uint32_t payload_len)
{
	static const uint8_t zeros[64];
	const struct tuple tuple = tuple_of(port);
	const struct segment segment = {
		.tuple = {.local = tuple.remote, .remote = tuple.local},
		.seq = seq,
		.ack = ack,
		.flags = flags,
		.window = 1000,
		.options = {.has_sack_permitted = flags == TCP_SYN},
		.payload = zeros,
		.payload_len = payload_len,
	};
	struct fake_wire *wire = &workers[to].wire;
	struct fake_packet *packet = calloc(1, sizeof(*packet));

	assert_non_null(packet);
	packet->packet = (struct held_packet){
		.frame_len =
			ETHER_LEN + (uint32_t)segment_build(&segment, packet->frame + ETHER_LEN,
							    sizeof(packet->frame) - ETHER_LEN),
		.l3_offset = ETHER_LEN,
		.l4_offset = ETHER_LEN + 20,
		.is_whole = true,
		.held_ns = clock_ns,
	};
	number_packet(&packet->packet, port);
	*wire->last = packet;
	wire->last = &packet->next;
	assert_int_equal(eventfd_write(wire->fd, 1), 0);
	return &packet->packet;
}

static inline struct held_packet *syn_in(uint16_t port)
{
	return segment_in(port, TCP_SYN, REMOTE_ISN, 0, 0);
}

/* Of the handshake that our last SYN-ACK belongs to. */
static inline uint32_t ack_of(uint16_t port)
{
	return workers[to].wire.syn_acks[port - FIRST_PORT].seq + 1;
}

static inline struct held_packet *ack_in(uint16_t port)
{
	return segment_in(port, TCP_ACK, REMOTE_ISN + 1, ack_of(port), 0);
}

/* The remote's first len bytes; it also completes the handshake. */
static inline struct held_packet *data_in(uint16_t port, uint32_t len)
{
	return segment_in(port, TCP_PSH | TCP_ACK, REMOTE_ISN + 1, ack_of(port), len);
}

/* The final ACK of a handshake that ingress has kept in a cookie; it opens the flow, if there is room. */
static inline struct held_packet *cookie_in(uint16_t port)
{
	struct held_packet *packet = segment_in(port, TCP_ACK, REMOTE_ISN + 1, 7777, 0);
	struct fake_flow *room = find_fake_room();

	packet->has_cookie = true;
	packet->terms = (struct nol_terms){.mss = 1400};
	if (!room || flow_of(port))
		return packet;
	room->tuple = tuple_of(port);
	room->flow = (struct nol_flow){
		.state = NOL_FLOW_SYN_RECEIVED, .held = 1, .method = NOL_METHOD_XDP};
	packet->held = 1;
	return packet;
}

/* No segment, but its addresses and ports can be read. */
static inline void cut(struct held_packet *packet)
{
	packet->frame_len = packet->l4_offset + 8;
}

/* A word of sock_diag: that socket is gone. */
static inline void word_in(uint16_t port)
{
	diag.words[diag.word_count++] = tuple_of(port);
	assert_int_equal(eventfd_write(diag.fd, 1), 0);
}

static inline void let_live(uint16_t port, uint8_t tcp_state)
{
	diag.living = tuple_of(port);
	diag.living_state = tcp_state;
}

/* Running. */
static struct session *round_session;

static inline void stop_round(void)
{
	session_stop(round_session);
}

/* One round of a worker and one of its loop. */
static inline void run_round(unsigned int worker)
{
	struct fake_worker *fake = &workers[worker];

	round_session = fake->session;
	round_session->is_stopping = false;
	fake->wire.before_receive = stop_round;
	assert_int_equal(session_run(round_session), 0);
	fake->wire.before_receive = NULL;
	assert_int_equal(fake->wire.unsent, 0);
}

/* The loop alone, until it has had something to do. */
static inline void run_loop(void)
{
	assert_true(loop_wait(workers[0].loop, 10000) > 0);
}

static inline struct session_stats *stats_of(unsigned int worker)
{
	return &workers[worker].session->stats;
}

/* What was noted of this remote since the last time, and nothing else; forgotten then. */
static inline void expect_notes(uint16_t port, const char *expected, const char *file, int line)
{
	char text[1024] = "";
	size_t kept = 0;

	for (size_t i = 0; i < note_count; i++) {
		if (notes[i].port != port) {
			notes[kept++] = notes[i];
			continue;
		}
		assert_true(strlen(text) + sizeof(notes[i].text) + 2 < sizeof(text));
		strcat(strcat(text, *text ? ", " : ""), notes[i].text);
	}
	note_count = kept;
	_assert_string_equal(text, expected, file, line);
}

#define EXPECT_NOTES(port, expected) expect_notes(port, expected, __FILE__, __LINE__)

static inline void forget_notes(void)
{
	note_count = 0;
}

/* A connection that is handed off and noted no more. */
static inline void connect_remote(uint16_t port)
{
	syn_in(port);
	run_round(to);
	ack_in(port);
	run_round(to);
	assert_non_null(flow_of(port));
	assert_int_equal(flow_of(port)->flow.state, NOL_FLOW_HANDED_OFF);
	forget_notes();
}

static inline unsigned int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static inline void open_worker(unsigned int number)
{
	const struct service_options service_options = {.max_children = 1};
	struct fake_worker *worker = &workers[number];
	struct session_options options = {
		.wire = &worker->wire.wire,
		.flows = &table.flows,
		.maker = &worker->maker.maker,
		.events = &worker->events,
		.engine = {.key = "a key of 16 byte",
			   .max_flows = 16,
			   .settings = {.v4 = {.mss = 1460,
					       .path_mss = 1460,
					       .window = {65535, 65535}},
					.offers = NOL_OFFER_WSCALE | NOL_OFFER_SACK |
						  NOL_OFFER_TIMESTAMPS,
					.syn_ack_retries = 1},
			   .resets_per_s = 100},
		.spin_ns = UINT64_MAX,
		.steady_spin_ns = UINT64_MAX,
	};
	const char *error;

	if (!worker->loop)
		assert_int_equal(loop_new(&worker->loop), 0);
	open_fake_wire(&worker->wire);
	open_fake_maker(&worker->maker);
	assert_int_equal(
		service_new(&worker->service, "hold", &service_options, worker->loop, &error), 0);
	options.loop = worker->loop;
	options.service = worker->service;
	options.closing = closing;
	assert_int_equal(session_new(&worker->session, &options), 0);
}

static inline void close_worker(struct fake_worker *worker)
{
	if (!worker->session)
		return;
	service_free(worker->service);
	session_free(worker->session);
	close_fake_maker(&worker->maker);
	close_fake_wire(&worker->wire);
}

static inline int set_up(void **state)
{
	struct closing_options options = {
		.flows = &table.flows, .events = &workers[0].events, .ports = &ports};

	(void)state;
	fds_at_start = count_fds();
	memset(workers, 0, sizeof(workers));
	memset(&table, 0, sizeof(table));
	memset(told_flow_ns, 0, sizeof(told_flow_ns));
	memset(&diag, 0, sizeof(diag));
	to = 0;
	note_count = 0;
	events_are_read = true;
	clock_ns = 1000 * CLOCK_NS_PER_S;
	table.flows = (struct flows){.ops = fixture_flows_ops, .method = NOL_METHOD_ENGINE};
	table.size = FLOWS_MAX;
	port_set_add(&ports, 80);
	assert_int_equal(loop_new(&workers[0].loop), 0);
	options.loop = workers[0].loop;
	assert_int_equal(closing_new(&closing, &options), 0);
	open_worker(0);
	return 0;
}

/* Nothing is left: descriptors are counted here, memory by the sanitizer. */
static inline int tear_down(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 2; i++)
		close_worker(&workers[i]);
	closing_free(closing);
	for (unsigned int i = 0; i < 2; i++)
		loop_free(workers[i].loop);
	assert_int_equal(count_fds(), fds_at_start);
	return 0;
}

#define session_test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

#endif
