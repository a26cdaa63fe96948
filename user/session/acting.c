/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What comes of a packet: the engine's actions, done to the flow table, the wire, the events and the hand-over. */
#include <errno.h>

#include "adopted.h"
#include "clock.h"
#include "segment.h"
#include "session_private.h"
#include "shutting.h"

#define ROOM 64 /* flows in their grace that make room at a time when the table is full */

void acting_emit(struct session *session, enum event_kind kind, const struct tuple *tuple,
		 uint64_t created_ns, const char *reason)
{
	const struct event event = {
		.kind = kind,
		.tuple = tuple,
		.created_ns = created_ns,
		.method = session->flows->method,
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
	if (session->wire->ops->send(session->wire, segment))
		session->stats.send_failed++;
}

static void forget_entry(struct session *session, const struct tuple *tuple)
{
	session->flows->ops->forget(session->flows, tuple, false);
}

static void refuse(struct session *session, const struct tuple *tuple)
{
	session->stats.table_full++;
	acting_emit(session, EVENT_REFUSED, tuple, session->now_ns, "table_full");
}

/* Room for a new flow: those in their grace yield, the oldest first. */
static int open_flow(struct session *session, const struct tuple *tuple)
{
	struct flows *flows = session->flows;
	struct nol_flow old;
	int err = flows->ops->open(flows, tuple, session->now_ns, &old);

	if (err == -E2BIG) {
		closing_make_room(session->closing, ROOM);
		err = flows->ops->open(flows, tuple, session->now_ns, &old);
	}
	if (err <= 0)
		return err;
	closing_replaced(session->closing, tuple, &old, session->options.events);
	return 0;
}

/* Some sockets are made at the start. */
static bool begin_socket(struct session *session, struct engine_flow *flow, bool has_time_wait)
{
	struct socket_maker *maker = session->maker;
	int err = maker->ops->begin ? maker->ops->begin(maker, flow, has_time_wait) : 0;

	if (!err)
		return true;
	session->stats.connect_failed++;
	session->stats.no_descriptors += socket_maker_lacks_descriptors(err);
	acting_emit(session, EVENT_REFUSED, &flow->tuple, flow->created_ns,
		    socket_maker_refusal(err, "connect_failed"));
	forget_entry(session, &flow->tuple);
	engine_release(session->engine, flow);
	return false;
}

/* A new half-open flow: its packets have to be held before its SYN-ACK leaves. */
static bool begin_flow(struct session *session, struct engine_flow *flow, bool has_time_wait)
{
	int err = open_flow(session, &flow->tuple);

	if (err) {
		if (err == -EDQUOT)
			session->stats.source_full++;
		else if (err != -EALREADY)
			refuse(session, &flow->tuple);
		engine_release(session->engine, flow);
		return false;
	}
	session->stats.syn++;
	acting_emit(session, EVENT_SYN, &flow->tuple, flow->created_ns, NULL);
	return begin_socket(session, flow, has_time_wait);
}

static void give_up_socket(struct session *session, struct engine_flow *flow)
{
	struct socket_maker *maker = session->maker;

	if (maker->ops->forget)
		maker->ops->forget(maker, flow);
}

/* It is over before it had a socket. */
static void forget_flow(struct session *session, struct engine_flow *flow)
{
	give_up_socket(session, flow);
	forget_entry(session, &flow->tuple);
}

static void end_flow(struct session *session, const struct engine_action *action,
		     enum event_kind kind)
{
	forget_flow(session, action->flow);
	acting_emit(session, kind, &action->flow->tuple, action->flow->created_ns,
		    engine_reason_text(action->reason));
}

static void tell_established(struct session *session, const struct engine_flow *flow)
{
	const struct event event = {
		.kind = EVENT_ESTABLISHED,
		.tuple = &flow->tuple,
		.created_ns = flow->created_ns,
		.method = adopted_method(flow, session->flows),
		.rtt_us = adopted_rtt_us(flow),
		.handoff_us = -1,
	};

	session->stats.established++;
	times_add(&session->stats.handshake, event.rtt_us);
	events_emit(session->options.events, &event);
}

/* Is the packet that completed the handshake to be replayed? With a reply it was a SYN-ACK, of no use to an established socket. */
static bool complete_socket(struct session *session, const struct engine_action *action,
			    const struct held_packet *packet)
{
	struct socket_maker *maker = session->maker;
	int result;

	if (!maker->ops->complete)
		return !action->has_reply;
	result = maker->ops->complete(maker, action->flow, packet);
	if (result < 0)
		session->stats.replay_failed++;
	return result > 0;
}

static void answer(struct session *session, struct engine_action *action)
{
	struct socket_maker *maker = session->maker;

	if (maker->ops->amend && !maker->ops->amend(maker, action))
		return;
	if (action->reason == ENGINE_REASON_TIMEOUT)
		session->stats.syn_ack_retransmits++;
	send_segment(session, &action->reply);
}

/* Nobody takes it over. */
static void keep_shut(struct session *session, struct engine_flow *flow)
{
	tell_established(session, flow);
	shutting_begin(session, flow);
}

static void begin_handoff(struct session *session, const struct engine_action *action,
			  const struct held_packet *packet)
{
	struct engine_flow *flow = action->flow;
	const bool is_wanted = complete_socket(session, action, packet);
	int err;

	tell_established(session, flow);
	err = handoff_add(session->handoff, flow, action->has_reply ? &action->reply : NULL);
	if (err) {
		give_up_socket(session, flow);
		handoff_abort(session->handoff, flow, err);
		engine_release(session->engine, flow);
		return;
	}
	if (is_wanted)
		handoff_store(session->handoff, flow, packet);
}

/* Whether or not there is a RST left for it. */
static bool belongs_to_nothing(const struct engine_action *action)
{
	return !action->flow && (action->reason == ENGINE_REASON_NO_FLOW ||
				 action->reason == ENGINE_REASON_RATE_LIMITED);
}

/* A packet that belongs to nothing: it may have been held in the instant before its flow was handed off. */
static bool replay_if_handed_off(struct session *session, const struct segment *segment,
				 const struct held_packet *packet)
{
	if (!flows_is_handed_off(session->flows, &segment->tuple))
		return false;
	handoff_replay(session->handoff, packet);
	return true;
}

/* What the engine made of a packet (or, without one, of the time). */
void acting_on(struct session *session, struct engine_action *action,
	       const struct held_packet *packet)
{
	session->stats.reasons[action->reason]++;
	switch (action->event) {
	case ENGINE_NOTHING:
		break;
	case ENGINE_EVENT_SYN:
		if (!begin_flow(session, action->flow, packet->has_time_wait))
			return;
		break;
	case ENGINE_EVENT_ESTABLISHED:
		if (shutting_wants(session, action->flow))
			keep_shut(session, action->flow);
		else
			begin_handoff(session, action, packet);
		return;
	case ENGINE_EVENT_HELD:
		handoff_store(session->handoff, action->flow, packet);
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
		answer(session, action);
}

/* Handshakes that the kernel won: the remote has its RST, what we sent comes too late. */
void acting_end_killed(struct session *session)
{
	struct wire *wire = session->wire;
	struct engine_flow *flow;
	struct killed_flow killed;

	while (wire->ops->take_killed && wire->ops->take_killed(wire, &killed)) {
		struct event event = {
			.kind = EVENT_RESET,
			.tuple = &killed.tuple,
			.method = session->flows->method,
			.rtt_us = -1,
			.handoff_us = -1,
			.first_by_us = killed.first_by_ns / CLOCK_NS_PER_US + 1,
			.reason = "kernel_rst",
		};

		flow = engine_find(session->engine, &killed.tuple);
		if (!flow || flow->state == ENGINE_ESTABLISHED)
			continue;
		event.created_ns = flow->created_ns;
		session->stats.reset++;
		events_emit(session->options.events, &event);
		forget_flow(session, flow);
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
	if (packet->has_cookie && packet->held && !engine_find(session->engine, &tuple))
		forget_entry(session, &tuple);
}

/*
 * The entry that ingress had no room for. If the flow was handed off meanwhile, with another packet that brought the
 * cookie, this one is the kernel's.
 */
static int open_adopted(struct session *session, const struct segment *segment,
			const struct held_packet *packet)
{
	const int err = open_flow(session, &segment->tuple);

	if (err == -EALREADY)
		replay_if_handed_off(session, segment, packet);
	else if (err && err != -EDQUOT)
		refuse(session, &segment->tuple);
	return err;
}

/* Or the one that it has made, if the source may have one more. */
static int admit(struct session *session, const struct segment *segment,
		 const struct held_packet *packet)
{
	struct flows *flows = session->flows;

	if (!packet->held)
		return open_adopted(session, segment, packet);
	return flows->ops->admit ? flows->ops->admit(flows, &segment->tuple) : 0;
}

/*
 * The source has as much as it may. The remote believes that it is connected, and would wait, or send the cookie again with its
 * data for as long as it lives: a RST tells it, as of what belongs to nothing, by the limit of those. A SYN gets no
 * word, and is sent again.
 */
static void turn_away(struct session *session, const struct held_packet *packet,
		      const struct segment *segment)
{
	struct engine_action action;

	session->stats.source_full++;
	if (packet->held)
		forget_entry(session, &segment->tuple);
	engine_input(session->engine, segment, session->now_ns, NULL, &action);
	acting_on(session, &action, packet);
}

/* The end of a handshake that a cookie began. A flow that cannot be adopted must not stay half-open. */
static void adopt(struct session *session, const struct held_packet *packet,
		  const struct segment *segment)
{
	const bool is_known = engine_find(session->engine, &segment->tuple);
	const int err = is_known ? 0 : admit(session, segment, packet);
	struct engine_action action;

	if (err) {
		if (err == -EDQUOT)
			turn_away(session, packet, segment);
		return;
	}
	engine_adopt(session->engine, segment, &packet->terms, session->now_ns, &action);
	count_held(session, packet, action.flow, &segment->tuple);
	/* When ingress has made its entry. */
	if (action.event == ENGINE_EVENT_ESTABLISHED && packet->held)
		action.flow->created_ns = packet->held_ns;
	if (!action.flow && !is_known)
		forget_entry(session, &segment->tuple);
	acting_on(session, &action, packet);
	if (action.event == ENGINE_EVENT_ESTABLISHED)
		shutting_take(session, segment);
}

/* What the kernel has done meanwhile for a half-open flow. */
static void refresh(struct session *session, const struct tuple *tuple)
{
	struct socket_maker *maker = session->maker;
	struct engine_flow *flow = maker->ops->refresh ? engine_find(session->engine, tuple) : NULL;

	if (flow && flow->state == ENGINE_SYN_RECEIVED)
		maker->ops->refresh(maker, flow);
}

void acting_take_packet(void *context, const struct held_packet *packet)
{
	struct session *session = context;
	const uint8_t *ip = packet->frame + packet->l3_offset;
	const size_t len = packet->frame_len - packet->l3_offset;
	struct engine_action action;
	struct segment segment;

	acting_end_killed(
		session); /* before the remote's answer to the SYN-ACK that came too late */
	if (segment_parse(ip, len, &segment) != SEGMENT_OK) {
		drop_malformed(session, packet);
		return;
	}
	if (shutting_take(session, &segment))
		return;
	if (packet->has_cookie) {
		adopt(session, packet, &segment);
		return;
	}
	refresh(session, &segment.tuple);
	engine_input(session->engine, &segment, session->now_ns,
		     packet->has_time_wait ? &packet->time_wait_snd_nxt : NULL, &action);
	count_held(session, packet, action.flow, &segment.tuple);
	if (belongs_to_nothing(&action) && replay_if_handed_off(session, &segment, packet))
		return;
	acting_on(session, &action, packet);
	if (action.event == ENGINE_EVENT_ESTABLISHED)
		shutting_take(session, &segment);
}

void session_take_icmp_error(struct session *session, const struct icmp_error *error)
{
	struct engine_action action;

	if (session->is_leaving || !icmp_error_ends_half_open(error))
		return;
	session->now_ns = clock_monotonic_ns();
	engine_unreachable(session->engine, error, session->now_ns, &action);
	if (action.flow)
		acting_on(session, &action, NULL);
}
