/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Theory of operation
 *
 * Everything happens in one thread, in rounds:
 *
 *   receive   held packets, a batch at most -> engine -> replies are queued; a flow whose handshake is complete
 *             joins the hand-over list together with a copy of the packet that completed it, and so does
 *             every later packet of such a flow.
 *   flush     the replies leave with one system call.
 *   hand off  for each flow of that list: make its kernel socket, replay its packets in order, then hand the flow over
 *             by compare-and-swap. The swap fails when ingress has held one more packet than we have seen;
 *             the flow then stays on the list and the next round brings that packet. So the kernel socket gets every
 *             packet of the flow once and in order, and packets of other flows are worked on meanwhile.
 *
 * From the swap on, ingress passes the flow's packets and the guard lets its RSTs go: it is an ordinary connection, and
 * nothing here touches it again until sock_diag reports that its socket is gone.
 *
 * After the last packet the rounds go on for spin_ns without sleeping, since the wake-up is most of the latency of a
 * handshake; then epoll waits.
 */
#include "session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "adopted.h"
#include "clock.h"
#include "closing.h"
#include "handover.h"
#include "log.h"
#include "segment.h"

#define RECEIVE_BATCH 256
#define MIN_MSS 48
#define ROOM 64 /* flows in their grace that make room at a time when the table is full */

struct session {
	struct session_options options;
	struct packet_io *io;
	struct engine *engine;
	struct handover *handover;
	struct closing *closing;
	struct loop_source *io_source;
	struct session_stats stats;
	uint64_t now_ns; /* of this round */
	uint64_t last_packet_ns;
	bool is_spinning;
	bool is_stopping;
	bool is_leaving; /* half-open flows are nobody's */
};

static void emit(struct session *session, enum event_kind kind, const struct tuple *tuple,
		 const char *reason)
{
	const struct event event = {
		.kind = kind,
		.tuple = tuple,
		.method = session->io->ops->method,
		.rtt_us = -1,
		.handoff_us = -1,
		.reason = reason,
	};

	events_emit(session->options.events, &event);
}

static void send_segment(struct session *session, const struct segment *segment)
{
	if (segment->flags & TCP_RST)
		session->stats.resets_sent++;
	if (session->io->ops->send(session->io, segment))
		session->stats.send_failed++;
}

static void flush(struct session *session)
{
	if (session->io->ops->flush(session->io))
		session->stats.send_failed++;
}

/* Room for a new flow: those in their grace yield, the oldest first. */
static int open_flow(struct session *session, const struct tuple *tuple)
{
	struct packet_io *io = session->io;
	int err = io->ops->open_flow(io, tuple, session->now_ns);

	if (err != -E2BIG)
		return err;
	closing_make_room(session->closing, ROOM);
	return io->ops->open_flow(io, tuple, session->now_ns);
}

/* A new half-open flow: its packets have to be held before its SYN-ACK leaves. */
static bool begin_flow(struct session *session, struct engine_flow *flow)
{
	int err = open_flow(session, &flow->tuple);

	if (err > 0)
		closing_replaced(session->closing, &flow->tuple);
	if (err < 0) {
		if (err != -EALREADY) {
			session->stats.table_full++;
			emit(session, EVENT_REFUSED, &flow->tuple, "table_full");
		}
		engine_release(session->engine, flow);
		return false;
	}
	session->stats.syn++;
	emit(session, EVENT_SYN, &flow->tuple, NULL);
	return true;
}

static void end_flow(struct session *session, const struct engine_action *action,
		     enum event_kind kind)
{
	session->io->ops->forget_flow(session->io, &action->flow->tuple, false);
	emit(session, kind, &action->flow->tuple, engine_reason_text(action->reason));
}

static void begin_handover(struct session *session, const struct engine_action *action,
			   const struct held_packet *packet)
{
	struct engine_flow *flow = action->flow;
	const struct event event = {
		.kind = EVENT_ESTABLISHED,
		.tuple = &flow->tuple,
		.method = adopted_method(flow, session->io),
		.rtt_us = adopted_rtt_us(flow),
		.handoff_us = -1,
	};

	session->stats.established++;
	events_emit(session->options.events, &event);
	if (handover_add(session->handover, flow, action->has_reply ? &action->reply : NULL)) {
		session->stats.handoff_failed++;
		end_flow(session, action, EVENT_RESET);
		engine_release(session->engine, flow);
		return;
	}
	/* With a reply the segment was a SYN-ACK, of no use to an established socket. */
	if (!action->has_reply)
		handover_store(session->handover, flow, packet);
}

/* A packet that belongs to nothing: it may have been held in the instant before its flow was handed off. */
static bool replay_if_handed_off(struct session *session, const struct segment *segment,
				 const struct held_packet *packet)
{
	struct packet_io *io = session->io;

	if (!io->ops->is_handed_off(io, &segment->tuple))
		return false;
	handover_replay(session->handover, packet);
	return true;
}

/* What the engine made of a packet (or, without one, of the time). */
static void act(struct session *session, const struct engine_action *action,
		const struct held_packet *packet)
{
	session->stats.reasons[action->reason]++;
	switch (action->event) {
	case ENGINE_NOTHING:
		break;
	case ENGINE_EVENT_SYN:
		if (!begin_flow(session, action->flow))
			return;
		break;
	case ENGINE_EVENT_ESTABLISHED:
		begin_handover(session, action, packet);
		return;
	case ENGINE_EVENT_HELD:
		handover_store(session->handover, action->flow, packet);
		break;
	case ENGINE_EVENT_RESET:
		session->stats.reset++;
		end_flow(session, action, EVENT_RESET);
		break;
	case ENGINE_EVENT_EXPIRED:
		session->stats.expired++;
		end_flow(session, action, EVENT_EXPIRED);
		break;
	case ENGINE_EVENT_REFUSED:
		session->stats.table_full++;
		break;
	}
	if (action->has_reply)
		send_segment(session, &action->reply);
}

/* Handshakes that the kernel won: the remote has its RST, what we sent comes too late. */
static void end_killed(struct session *session)
{
	struct packet_io *io = session->io;
	struct engine_flow *flow;
	struct killed_flow killed;

	while (io->ops->take_killed && io->ops->take_killed(io, &killed)) {
		const struct event event = {
			.kind = EVENT_RESET,
			.tuple = &killed.tuple,
			.method = io->ops->method,
			.rtt_us = -1,
			.handoff_us = -1,
			.first_by_us = killed.first_by_ns / CLOCK_NS_PER_US + 1,
			.reason = "kernel_rst",
		};

		flow = engine_find(session->engine, &killed.tuple);
		if (!flow || flow->state == ENGINE_ESTABLISHED)
			continue;
		session->stats.reset++;
		events_emit(session->options.events, &event);
		io->ops->forget_flow(io, &killed.tuple, false);
		engine_release(session->engine, flow);
	}
}

/* Each packet that ingress has numbered counts, whatever becomes of it: the hand-off waits for all of them. */
static void count_held(struct session *session, const struct held_packet *packet,
		       struct engine_flow *flow, const struct tuple *tuple)
{
	if (!packet->held)
		return;
	if (!flow)
		flow = engine_find(session->engine, tuple);
	if (flow)
		flow->held_seen++;
}

static void drop_malformed(struct session *session, const struct held_packet *packet)
{
	const size_t len = packet->frame_len - packet->l3_offset;
	struct tuple tuple;

	session->stats.malformed++;
	if (!segment_read_tuple(packet->frame + packet->l3_offset, len,
				packet->l4_offset - packet->l3_offset, &tuple))
		return;
	count_held(session, packet, NULL, &tuple);
	/* The flow that a cookie has just opened has nobody to end it. */
	if (packet->cookie && packet->held && !engine_find(session->engine, &tuple))
		session->io->ops->forget_flow(session->io, &tuple, false);
}

/* The end of a handshake that a cookie began. A flow that cannot be adopted must not stay half-open. */
static void adopt(struct session *session, const struct held_packet *packet,
		  const struct segment *segment)
{
	const struct engine_cookie cookie = adopted_cookie(packet->cookie, session->now_ns);
	const bool is_known = engine_find(session->engine, &segment->tuple);
	struct engine_action action;

	if (!is_known && !packet->held && open_flow(session, &segment->tuple)) {
		session->stats.table_full++;
		emit(session, EVENT_REFUSED, &segment->tuple, "table_full");
		return;
	}
	engine_adopt(session->engine, segment, &cookie, session->now_ns, &action);
	count_held(session, packet, action.flow, &segment->tuple);
	if (!action.flow && !is_known)
		session->io->ops->forget_flow(session->io, &segment->tuple, false);
	act(session, &action, packet);
}

static void take_packet(void *context, const struct held_packet *packet)
{
	struct session *session = context;
	const uint8_t *ip = packet->frame + packet->l3_offset;
	const size_t len = packet->frame_len - packet->l3_offset;
	struct engine_action action;
	struct segment segment;

	end_killed(session); /* before the remote's answer to the SYN-ACK that came too late */
	if (segment_parse(ip, len, &segment) != SEGMENT_OK) {
		drop_malformed(session, packet);
		return;
	}
	if (packet->cookie) {
		adopt(session, packet, &segment);
		return;
	}
	engine_input(session->engine, &segment, session->now_ns,
		     packet->has_time_wait ? &packet->time_wait_snd_nxt : NULL, &action);
	count_held(session, packet, action.flow, &segment.tuple);
	if (action.reason == ENGINE_REASON_NO_FLOW &&
	    replay_if_handed_off(session, &segment, packet))
		return;
	act(session, &action, packet);
}

static uint64_t deadline_ns(const struct session *session)
{
	return session->is_leaving ? UINT64_MAX : engine_deadline_ns(session->engine);
}

static void expire(struct session *session)
{
	struct engine_action action;

	if (deadline_ns(session) > session->now_ns)
		return;
	while (engine_expire(session->engine, session->now_ns, &action)) {
		if (action.has_reply)
			session->stats.syn_ack_retransmits++;
		act(session, &action, NULL);
	}
}

/* One round; the number of packets that came in. */
static int work(struct session *session)
{
	int count;

	session->now_ns = clock_monotonic_ns();
	count = session->io->ops->receive(session->io, RECEIVE_BATCH, take_packet, session);
	end_killed(session);
	expire(session);
	flush(session);
	if (!handover_is_empty(session->handover)) {
		handover_work(session->handover, session->now_ns);
		flush(session);
	}
	if (count > 0) {
		session->last_packet_ns = session->now_ns;
		events_flush(session->options.events);
	}
	return count > 0 ? count : 0;
}

static int timeout_ms(const struct session *session)
{
	const uint64_t next_ns = deadline_ns(session);

	if (!handover_is_empty(session->handover) || next_ns <= session->now_ns)
		return 0;
	if (next_ns == UINT64_MAX)
		return -1;
	return (int)((next_ns - session->now_ns) / CLOCK_NS_PER_MS) + 1;
}

static void set_spinning(struct session *session, bool is_spinning)
{
	if (session->is_spinning == is_spinning)
		return;
	session->is_spinning = is_spinning;
	session->io->ops->set_spinning(session->io, is_spinning);
}

int session_run(struct session *session)
{
	bool is_busy;
	int err = 0;

	while (!session->is_stopping && err >= 0) {
		work(session);
		set_spinning(session,
			     session->now_ns - session->last_packet_ns < session->options.spin_ns);
		/*
		 * A packet may have come between the last look and the end of spinning: its wake-up was skipped. Under
		 * a flood there always is one, and the loop has its turn all the same.
		 */
		is_busy = session->is_spinning || work(session);
		err = loop_wait(session->options.loop, is_busy ? 0 : timeout_ms(session));
	}
	set_spinning(session, false);
	return err < 0 ? err : 0;
}

void session_stop(struct session *session)
{
	session->is_stopping = true;
}

void session_drain(struct session *session)
{
	/* Bounded: under a flood the ring never runs dry. */
	for (int round = 0; round < 64; round++) {
		if (!work(session) && handover_is_empty(session->handover))
			break;
	}
}

void session_leave(struct session *session)
{
	session->is_leaving = true;
	session_drain(session);
}

static void count_closed(void *context, const struct tuple *tuple)
{
	struct session *session = context;
	struct packet_io *io = session->io;
	const struct event event = {
		.kind = EVENT_CLOSED,
		.tuple = tuple,
		.method = io->ops->flow_method ? io->ops->flow_method(io, tuple) : io->ops->method,
		.rtt_us = -1,
		.handoff_us = -1,
	};

	session->stats.closed++;
	events_emit(session->options.events, &event);
}

/* The ring is readable: that woke the loop, the next round takes what is there. */
static void wake(void *context, uint32_t events)
{
	(void)context;
	(void)events;
}

static int open_handover(struct session *session)
{
	const struct handover_options options = {
		.io = session->io,
		.engine = session->engine,
		.service = session->options.service,
		.events = session->options.events,
		.socket = session->options.handoff,
		.stats = &session->stats,
	};

	return handover_new(&session->handover, &options);
}

int session_new(struct session **out, const struct session_options *options)
{
	struct session *session = calloc(1, sizeof(*session));
	const struct closing_options closing = {
		.loop = options->loop,
		.io = options->io,
		.ifindex = options->handoff.scope_id,
		.ports = options->ports,
		.fn = count_closed,
		.context = session,
	};
	int err;

	if (!session)
		return -ENOMEM;
	session->options = *options;
	session->io = options->io;
	err = engine_new(&session->engine, &options->engine);
	if (!err)
		err = open_handover(session);
	if (!err)
		err = closing_new(&session->closing, &closing);
	if (!err)
		err = loop_add(options->loop, session->io->ops->fd(session->io), EPOLLIN, wake,
			       session, &session->io_source);
	if (err)
		session_free(session);
	else
		*out = session;
	return err;
}

void session_free(struct session *session)
{
	if (!session)
		return;
	loop_remove(session->io_source);
	closing_free(session->closing);
	handover_free(session->handover);
	engine_free(session->engine);
	free(session);
}

/* No packet has more than 65,535 bytes; a device may be set to an MTU that leaves no room for a segment. */
static uint16_t mss_of(uint32_t mtu, uint32_t headers_len)
{
	if (mtu < headers_len + MIN_MSS)
		return MIN_MSS;
	return (mtu > UINT16_MAX ? UINT16_MAX : mtu) - headers_len;
}

uint16_t session_mss_v4(uint32_t mtu)
{
	return mss_of(mtu, 40);
}

uint16_t session_mss_v6(uint32_t mtu)
{
	return mss_of(mtu, 60);
}

void session_set_mtu(struct session *session, uint32_t mtu)
{
	engine_set_mss(session->engine, session_mss_v4(mtu), session_mss_v6(mtu));
}

const struct session_stats *session_stats(const struct session *session)
{
	return &session->stats;
}

uint32_t session_half_open(const struct session *session)
{
	return engine_flow_count(session->engine);
}
