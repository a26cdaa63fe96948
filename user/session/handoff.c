/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Socket, replay, swap, service: one attempt a round for each flow. */
#include "handoff.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adopted.h"
#include "clock.h"
#include "first_flight.h"
#include "log.h"

/*
 * A packet that was held is in the ring within microseconds. If one was counted for this flow that never comes (its
 * handing replaced another in the instant of a hold), its connection must not wait for ever.
 */
#define GIVE_UP_NS (200 * CLOCK_NS_PER_MS)

struct stored_packet {
	struct stored_packet *next;
	struct held_packet packet; /* its frame is behind this struct */
};

struct handing {
	struct handing *next;
	struct engine_flow *flow;
	uint64_t waits_since_ns; /* for packets that were held; 0: it does not */
	int fd; /* the kernel socket; -1 until it is ours */
	int err; /* why there is none */
	struct handoff *handoff;
	struct loop_source *source; /* NULL unless the loop is to tell of the socket */
	bool has_reply;
	struct segment reply;
	struct stored_packet *first, **last;
	uint32_t stored; /* how many there were */
};

struct handoff {
	struct handoff_options options;
	struct handing *first, **last;
	struct stored_packet *next, **next_last; /* of the remotes' next connections */
	uint32_t count, waiting; /* entries; those of them whose socket is with the loop */
};

int handoff_new(struct handoff **out, const struct handoff_options *options)
{
	struct handoff *handoff = calloc(1, sizeof(*handoff));

	if (!handoff)
		return -ENOMEM;
	handoff->options = *options;
	handoff->last = &handoff->first;
	handoff->next_last = &handoff->next;
	*out = handoff;
	return 0;
}

static struct stored_packet *take_stored(struct handing *handing)
{
	struct stored_packet *stored = handing->first;

	if (!stored)
		return NULL;
	handing->first = stored->next;
	if (!handing->first)
		handing->last = &handing->first;
	return stored;
}

static void stop_waiting(struct handing *handing)
{
	if (!handing->source)
		return;
	loop_remove(handing->source);
	handing->source = NULL;
	handing->handoff->waiting--;
}

static void free_stored(struct handing *handing)
{
	struct stored_packet *stored;

	while ((stored = take_stored(handing)))
		free(stored);
}

static void free_handing(struct handing *handing)
{
	stop_waiting(handing);
	handing->handoff->count--;
	free_stored(handing);
	free(handing);
}

void handoff_free(struct handoff *handoff)
{
	struct handing *handing;

	if (!handoff)
		return;
	while ((handing = handoff->first)) {
		handoff->first = handing->next;
		stop_waiting(handing);
		if (handing->fd >= 0)
			close(handing->fd);
		free_handing(handing);
	}
	free(handoff);
}

int handoff_add(struct handoff *handoff, struct engine_flow *flow, const struct segment *reply)
{
	struct handing *handing = calloc(1, sizeof(*handing));

	if (!handing)
		return -ENOMEM;
	handing->flow = flow;
	handing->fd = -1;
	handing->handoff = handoff;
	handoff->count++;
	handing->last = &handing->first;
	handing->has_reply = reply;
	if (reply)
		handing->reply = *reply;
	flow->handing = handing;
	*handoff->last = handing;
	handoff->last = &handing->next;
	return 0;
}

void handoff_store(struct handoff *handoff, const struct engine_flow *flow,
		   const struct held_packet *packet)
{
	struct handing *handing = flow->handing;
	struct stored_packet *stored = handing ? malloc(sizeof(*stored) + packet->frame_len) : NULL;

	if (!stored) {
		handoff->options.stats->replay_failed++;
		return;
	}
	stored->next = NULL;
	stored->packet = *packet;
	stored->packet.frame = (const uint8_t *)(stored + 1);
	memcpy(stored + 1, packet->frame, packet->frame_len);
	first_flight_limit(flow, (uint8_t *)(stored + 1) + packet->l3_offset,
			   packet->frame_len - packet->l3_offset);
	*handing->last = stored;
	handing->last = &stored->next;
	handing->stored++;
}

void handoff_replay(struct handoff *handoff, const struct held_packet *packet)
{
	struct wire *wire = handoff->options.wire;

	if (wire->ops->replay(wire, packet))
		handoff->options.stats->replay_failed++;
	else
		handoff->options.stats->replayed++;
}

static void send_segment(struct handoff *handoff, const struct segment *segment)
{
	struct wire *wire = handoff->options.wire;

	if (wire->ops->send(wire, segment))
		handoff->options.stats->send_failed++;
}

static void emit(struct handoff *handoff, enum event_kind kind, const struct engine_flow *flow,
		 int64_t handoff_us, const char *reason)
{
	const struct event event = {
		.kind = kind,
		.tuple = &flow->tuple,
		.created_ns = flow->created_ns,
		.method = adopted_method(flow, handoff->options.flows),
		.rtt_us = -1,
		.handoff_us = handoff_us,
		.reason = reason,
	};

	events_emit(handoff->options.events, &event);
}

static void wake(void *context, uint32_t events)
{
	(void)events;
	stop_waiting(context);
}

/* -EINPROGRESS: it is not connected yet, and the loop will tell. */
static int take_socket(struct handoff *handoff, struct handing *handing, uint64_t now_ns)
{
	struct socket_maker *maker = handoff->options.maker;
	int fd, err;

	if (handing->fd >= 0)
		return 0;
	if (handing->err && handing->err != -EINPROGRESS)
		return handing->err;
	if (handing->source)
		return -EINPROGRESS;
	err = maker->ops->take(maker, handing->flow, now_ns, &fd);
	if (!err)
		handing->fd = fd;
	else if (err == -EINPROGRESS &&
		 !loop_add(handoff->options.loop, fd, EPOLLOUT, wake, handing, &handing->source))
		handoff->waiting++;
	return err;
}

void handoff_make_sockets(struct handoff *handoff, uint64_t now_ns)
{
	for (struct handing *handing = handoff->first; handing; handing = handing->next)
		handing->err = take_socket(handoff, handing, now_ns);
}

void handoff_abort(struct handoff *handoff, const struct engine_flow *flow, int err)
{
	const struct segment reset = {
		.tuple = flow->tuple,
		.seq = flow->iss + 1,
		.ack = flow->irs + 1,
		.flags = TCP_RST | TCP_ACK,
	};

	handoff->options.stats->handoff_failed++;
	handoff->options.stats->no_descriptors += socket_maker_lacks_descriptors(err);
	handoff->options.stats->resets_sent++;
	emit(handoff, EVENT_RESET, flow, -1, socket_maker_refusal(err, "handoff_failed"));
	send_segment(handoff, &reset);
	handoff->options.flows->ops->forget(handoff->options.flows, &flow->tuple, false);
}

static void finish(struct handoff *handoff, struct handing *handing)
{
	const struct engine_flow *flow = handing->flow;
	struct socket_maker *maker = handoff->options.maker;
	const int64_t took_us =
		(int64_t)((clock_monotonic_ns() - flow->established_ns) / CLOCK_NS_PER_US);
	const struct arrival arrival = {
		.method = adopted_method(flow, handoff->options.flows),
		.syn = flow->syn.ttl ? &flow->syn : NULL,
		.flow_ns = flow->created_ns,
	};

	if (maker->ops->settle)
		maker->ops->settle(maker, flow, handing->fd);
	if (handing->has_reply)
		send_segment(handoff, &handing->reply);
	handoff->options.stats->handed_off++;
	times_add(&handoff->options.stats->handoff, took_us);
	emit(handoff, EVENT_HANDED_OFF, flow, took_us, NULL);
	/* What came behind the handshake's last packet is in the socket by now. */
	service_take_arrival(handoff->options.service, handing->fd, &flow->tuple, &arrival,
			     handing->stored > 1);
}

static bool may_wait(struct handing *handing, const struct flows *flows, uint64_t now_ns)
{
	if (!handing->waits_since_ns)
		handing->waits_since_ns = now_ns;
	return !flows->ops->force || now_ns - handing->waits_since_ns < GIVE_UP_NS;
}

static bool parse_held(const struct held_packet *packet, struct segment *out)
{
	return segment_parse(packet->frame + packet->l3_offset,
			     packet->frame_len - packet->l3_offset, out) == SEGMENT_OK;
}

/* Not for the socket, which the remote has reset: it comes again from the same port. */
static bool begins_anew(const struct handing *handing, const struct held_packet *packet)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);
	struct segment segment;

	if (!parse_held(packet, &segment) ||
	    (segment.flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) != TCP_SYN)
		return false;
	return !getsockopt(handing->fd, IPPROTO_TCP, TCP_INFO, &info, &len) &&
	       info.tcpi_state == TCP_CLOSE;
}

static bool has_same_echo(const struct segment *a, const struct segment *b)
{
	return a->options.has_timestamps == b->options.has_timestamps &&
	       (!a->options.has_timestamps || a->options.tsecr == b->options.tsecr);
}

/* A bare ACK, and data right behind it that says all that it says: acknowledgement, window, and the echo that is the RTT. */
static bool is_repeated_by_next(const struct stored_packet *stored)
{
	struct segment ack, data;

	if (!stored->next || !stored->next->packet.is_whole || !parse_held(&stored->packet, &ack) ||
	    ack.flags != TCP_ACK || ack.payload_len || !parse_held(&stored->next->packet, &data))
		return false;
	return data.checksum != CHECKSUM_BAD && (data.flags & ~TCP_PSH) == TCP_ACK &&
	       data.payload_len && data.seq == ack.seq && data.ack == ack.ack &&
	       data.window == ack.window && has_same_echo(&ack, &data);
}

/* Makers that take part in the handshake need each of its packets. */
static void replay_stored(struct handoff *handoff, struct handing *handing)
{
	const bool is_of_handshake = handoff->options.maker->ops->complete;

	while (handing->first && !begins_anew(handing, &handing->first->packet)) {
		struct stored_packet *stored = take_stored(handing);

		if (!is_of_handshake && is_repeated_by_next(stored))
			handoff->options.stats->repeated++;
		else
			handoff_replay(handoff, &stored->packet);
		free(stored);
	}
}

/* true: done with, for better or worse. */
static bool hand_over(struct handoff *handoff, struct handing *handing, uint64_t now_ns)
{
	struct flows *flows = handoff->options.flows;
	const struct engine_flow *flow = handing->flow;
	int err = take_socket(handoff, handing, now_ns);

	if (err == -EINPROGRESS)
		return false;
	if (err) {
		handoff_abort(handoff, flow, err);
		free_stored(handing);
		return true;
	}
	replay_stored(handoff, handing);
	err = flows->ops->hand_off(flows, &flow->tuple, flow->held_seen);
	if (err == -EAGAIN && may_wait(handing, flows, now_ns))
		return false;
	if (err == -EAGAIN)
		flows->ops->force(flows, &flow->tuple);
	else if (
		err) /* the handing was removed by somebody else: the kernel has the flow all the same */
		log_debug("flow table: %s", strerror(-err));
	finish(handoff, handing);
	return true;
}

/* What was not replayed, in order. Its numbers were those of the flow that is over. */
static void keep_for_next(struct handoff *handoff, struct handing *handing)
{
	struct stored_packet *stored;

	while ((stored = take_stored(handing))) {
		stored->next = NULL;
		stored->packet.held = 0;
		stored->packet.has_cookie = false;
		*handoff->next_last = stored;
		handoff->next_last = &stored->next;
	}
}

/* It may add to the list of hand-overs, so that is not being walked. */
static void give_back(struct handoff *handoff)
{
	struct stored_packet *stored = handoff->next, *next;

	handoff->next = NULL;
	handoff->next_last = &handoff->next;
	for (; stored; stored = next) {
		next = stored->next;
		handoff->options.again(handoff->options.context, &stored->packet);
		free(stored);
	}
}

void handoff_work(struct handoff *handoff, uint64_t now_ns)
{
	struct handing **link = &handoff->first;
	struct handing *handing;

	while ((handing = *link)) {
		if (!hand_over(handoff, handing, now_ns)) {
			link = &handing->next;
			continue;
		}
		*link = handing->next;
		engine_release(handoff->options.engine, handing->flow);
		keep_for_next(handoff, handing);
		free_handing(handing);
	}
	handoff->last = link;
	give_back(handoff);
}

void handoff_ask_again(struct handoff *handoff)
{
	for (struct handing *handing = handoff->first; handing; handing = handing->next)
		stop_waiting(handing);
}

bool handoff_is_empty(const struct handoff *handoff)
{
	return !handoff->first;
}

bool handoff_has_work(const struct handoff *handoff)
{
	return handoff->count > handoff->waiting;
}
