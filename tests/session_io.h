/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The session's world in memory: a wire whose packets the test brings, a flow table, a socket maker, sock_diag, events,
 * and a clock that goes when it is told to. What the session asks of them is noted by the remote's port, in order.
 *
 * Clock, events and sock_diag take the place of the library's: the linker looks there only for what is missing here.
 */
#ifndef NOLISTEN_TESTS_SESSION_IO_H
#define NOLISTEN_TESTS_SESSION_IO_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "clock.h"
#include "container.h"
#include "session_private.h"
#include "sock_diag.h"

#define FLOWS_MAX 8
#define PORTS 64 /* of remotes: FIRST_PORT and those behind it */
#define FIRST_PORT 2000
#define ETHER_LEN 14

/* What was asked, in order. */
struct noted {
	uint16_t port;
	char text[64];
};

static struct noted notes[512];
static size_t note_count;

static inline void __attribute__((format(printf, 2, 3)))
note(const struct tuple *tuple, const char *format, ...)
{
	struct noted *noted = &notes[note_count++];
	va_list arguments;

	assert_true(note_count <= sizeof(notes) / sizeof(notes[0]));
	noted->port = tuple->remote.port;
	va_start(arguments, format);
	vsnprintf(noted->text, sizeof(noted->text), format, arguments);
	va_end(arguments);
}

static inline void note_segment(const char *what, const struct segment *segment)
{
	char flags[SEGMENT_FLAGS_TEXT_SIZE];

	segment_format_flags(segment->flags, flags);
	if (segment->payload_len)
		note(&segment->tuple, "%s %s%u", what, flags, segment->payload_len);
	else
		note(&segment->tuple, "%s %s", what, flags);
}

#include "session_events.h"

/* The clock. */
static uint64_t clock_ns;

uint64_t clock_monotonic_ns(void)
{
	return clock_ns;
}

/* sock_diag: words of destroyed sockets, and which sockets live. */
static struct {
	int fd;
	struct tuple words[80];
	unsigned int word_count;
	bool has_lost; /* more words than it could keep */
	struct tuple living;
	uint8_t living_state; /* 0: there is none */
} diag;

int sock_diag_watch(void)
{
	diag.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return diag.fd < 0 ? -errno : diag.fd;
}

int sock_diag_read(int watch_fd, sock_diag_fn fn, void *context)
{
	const unsigned int count = diag.word_count;
	eventfd_t ignored;

	eventfd_read(watch_fd, &ignored);
	diag.word_count = 0;
	for (unsigned int i = 0; i < count; i++)
		fn(context, &diag.words[i], 0);
	return diag.has_lost ? -ENOBUFS : (int)count;
}

int sock_diag_find(const struct tuple *tuple, uint32_t ifindex, uint8_t *tcp_state)
{
	(void)ifindex;
	if (!diag.living_state || !tuple_is_equal(tuple, &diag.living))
		return -ENOENT;
	*tcp_state = diag.living_state;
	return 0;
}

/* The flow table. */
struct fake_flow {
	struct tuple tuple;
	struct nol_flow flow; /* NOL_FLOW_NONE: there is none */
};

static struct {
	struct flows flows;
	struct fake_flow all[FLOWS_MAX];
	unsigned int size; /* at most FLOWS_MAX */
	int open_result; /* of the next open(), if it is not 0 */
} table;

static inline struct fake_flow *find_fake_flow(const struct tuple *tuple)
{
	for (unsigned int i = 0; i < FLOWS_MAX; i++) {
		if (table.all[i].flow.state && tuple_is_equal(&table.all[i].tuple, tuple))
			return &table.all[i];
	}
	return NULL;
}

static inline struct fake_flow *find_fake_room(void)
{
	for (unsigned int i = 0; i < table.size; i++) {
		if (!table.all[i].flow.state)
			return &table.all[i];
	}
	return NULL;
}

/* As flows.h has it; nothing that lives is replaced unless the test says so. */
static inline int open_fake_flow(struct flows *flows, const struct tuple *tuple, uint64_t now_ns,
				 struct nol_flow *old)
{
	struct fake_flow *flow = find_fake_flow(tuple);
	const bool is_replaced = flow && flow->flow.state == NOL_FLOW_HANDED_OFF;
	const int result = table.open_result;

	table.open_result = 0;
	if (!flow)
		flow = find_fake_room();
	if (result || !flow) {
		note(tuple, "open: %s", strerrorname_np(-(result ?: -E2BIG)));
		return result ?: -E2BIG;
	}
	note(tuple, "open");
	*old = flow->flow;
	flow->tuple = *tuple;
	flow->flow = (struct nol_flow){
		.state = NOL_FLOW_SYN_RECEIVED, .created_ns = now_ns, .method = flows->method};
	return is_replaced;
}

static inline int hand_off_fake_flow(struct flows *flows, const struct tuple *tuple, uint32_t held)
{
	struct fake_flow *flow = find_fake_flow(tuple);
	int err = flow ? 0 : -ENOENT;

	(void)flows;
	if (flow && flow->flow.held != held)
		err = -EAGAIN;
	note(tuple, "hand_off %u%s%s", held, err ? ": " : "", err ? strerrorname_np(-err) : "");
	if (!err)
		flow->flow.state = NOL_FLOW_HANDED_OFF;
	return err;
}

static inline void force_fake_flow(struct flows *flows, const struct tuple *tuple)
{
	struct fake_flow *flow = find_fake_flow(tuple);

	(void)flows;
	note(tuple, "force");
	if (flow)
		flow->flow.state = NOL_FLOW_HANDED_OFF;
}

static inline int close_fake_flow(struct flows *flows, const struct tuple *tuple)
{
	struct fake_flow *flow = find_fake_flow(tuple);

	(void)flows;
	if (!flow || flow->flow.state != NOL_FLOW_HANDED_OFF)
		return -ENOENT;
	flow->flow.state = NOL_FLOW_CLOSED;
	note(tuple, "close");
	return 0;
}

static inline int get_fake_flow(struct flows *flows, const struct tuple *tuple,
				struct nol_flow *out)
{
	const struct fake_flow *flow = find_fake_flow(tuple);

	(void)flows;
	if (!flow)
		return -ENOENT;
	*out = flow->flow;
	return 0;
}

static inline void forget_fake_flow(struct flows *flows, const struct tuple *tuple,
				    bool only_closed)
{
	struct fake_flow *flow = find_fake_flow(tuple);

	(void)flows;
	if (!flow || (only_closed && flow->flow.state != NOL_FLOW_CLOSED))
		return;
	note(tuple, "forget");
	flow->flow.state = NOL_FLOW_NONE;
}

static inline int visit_fake_flows(struct flows *flows, flow_fn fn, void *context)
{
	int count = 0;

	(void)flows;
	for (unsigned int i = 0; i < FLOWS_MAX; i++) {
		if (!table.all[i].flow.state)
			continue;
		count++;
		if (!fn(context, &table.all[i].tuple, &table.all[i].flow))
			break;
	}
	return count;
}

#define FAKE_FLOWS_OPS                                                                    \
	.open = open_fake_flow, .hand_off = hand_off_fake_flow, .close = close_fake_flow, \
	.get = get_fake_flow, .forget = forget_fake_flow, .visit = visit_fake_flows

static const struct flows_ops ring_flows_ops = {FAKE_FLOWS_OPS, .force = force_fake_flow};
/* What it waits for is certain to come. */
static const struct flows_ops patient_flows_ops = {FAKE_FLOWS_OPS};

/* A wire. */
struct fake_packet {
	struct fake_packet *next;
	struct held_packet packet;
	uint8_t frame[256];
};

struct fake_wire {
	struct wire wire;
	int fd;
	struct fake_packet *first, **last;
	unsigned int unsent; /* segments that no flush() has sent yet */
	struct segment sent[PORTS]; /* the last one to each remote */
	struct segment syn_acks[PORTS];
	int send_err, replay_err, flush_err; /* of every call, while it is set */
	unsigned int replayed;
	struct killed_flow killed; /* none without a port */
	unsigned int spins[2]; /* how often it was told that spinning ends, begins */
	/* What the test does meanwhile, NULL: nothing. */
	void (*before_receive)(void);
	void (*after_replay)(void);
	void (*before_spinning)(bool is_spinning);
};

static inline struct fake_wire *from_wire(const struct wire *wire)
{
	return container_of(wire, struct fake_wire, wire);
}

/* What a packet was is gone when it was taken. */
static inline void forget_fake_packet(struct fake_packet *packet)
{
	memset(packet, 0xdd, sizeof(*packet));
	free(packet);
}

static inline int receive_fake(struct wire *wire, uint32_t max, packet_fn fn, void *context)
{
	struct fake_wire *fake = from_wire(wire);
	struct fake_packet *packet;
	eventfd_t ignored;
	int count = 0;

	if (fake->before_receive)
		fake->before_receive();
	eventfd_read(fake->fd, &ignored);
	for (; (packet = fake->first) && (uint32_t)count < max; count++) {
		fake->first = packet->next;
		if (!fake->first)
			fake->last = &fake->first;
		packet->packet.frame = packet->frame;
		fn(context, &packet->packet);
		forget_fake_packet(packet);
	}
	return count;
}

static inline int send_fake(struct wire *wire, const struct segment *segment)
{
	struct fake_wire *fake = from_wire(wire);
	const unsigned int remote = segment->tuple.remote.port - FIRST_PORT;

	note_segment("send", segment);
	if (fake->send_err)
		return fake->send_err;
	assert_true(remote < PORTS);
	fake->unsent++;
	fake->sent[remote] = *segment;
	if ((segment->flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK))
		fake->syn_acks[remote] = *segment;
	return 0;
}

static inline int flush_fake(struct wire *wire)
{
	from_wire(wire)->unsent = 0;
	return from_wire(wire)->flush_err;
}

/* Whole and unharmed, or it is no packet. */
static inline int replay_fake(struct wire *wire, const struct held_packet *packet)
{
	struct fake_wire *fake = from_wire(wire);
	struct segment segment;

	if (fake->replay_err)
		return fake->replay_err;
	assert_true(packet->is_whole);
	assert_int_equal(packet->l3_offset, ETHER_LEN);
	assert_int_equal(segment_parse(packet->frame + packet->l3_offset,
				       packet->frame_len - packet->l3_offset, &segment),
			 SEGMENT_OK);
	assert_int_not_equal(segment.checksum, CHECKSUM_BAD);
	note_segment("replay", &segment);
	fake->replayed++;
	if (fake->after_replay)
		fake->after_replay();
	return 0;
}

static inline void set_fake_spinning(struct wire *wire, bool is_spinning)
{
	struct fake_wire *fake = from_wire(wire);

	if (fake->before_spinning)
		fake->before_spinning(is_spinning);
	fake->spins[is_spinning]++;
}

static inline bool take_fake_killed(struct wire *wire, struct killed_flow *out)
{
	struct fake_wire *fake = from_wire(wire);

	if (!fake->killed.tuple.remote.port)
		return false;
	*out = fake->killed;
	memset(&fake->killed, 0, sizeof(fake->killed));
	return true;
}

static inline int fd_of_fake(const struct wire *wire)
{
	return from_wire(wire)->fd;
}

static const struct wire_ops fake_wire_ops = {
	.receive = receive_fake,
	.send = send_fake,
	.flush = flush_fake,
	.replay = replay_fake,
	.set_spinning = set_fake_spinning,
	.take_killed = take_fake_killed,
	.fd = fd_of_fake,
};

static inline void open_fake_wire(struct fake_wire *fake)
{
	fake->wire.ops = &fake_wire_ops;
	fake->last = &fake->first;
	fake->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	assert_true(fake->fd >= 0);
}

static inline void close_fake_wire(struct fake_wire *fake)
{
	while (fake->first) {
		struct fake_packet *next = fake->first->next;

		forget_fake_packet(fake->first);
		fake->first = next;
	}
	close(fake->fd);
}

#endif
