/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Socket, replay, swap, service: one attempt a round for each flow. */
#include "handover.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adopted.h"
#include "clock.h"
#include "log.h"

/*
 * A packet that was held is in the ring within microseconds. If one was counted for this flow that never comes (its
 * entry replaced another in the instant of a hold), its connection must not wait for ever.
 */
#define GIVE_UP_NS (200 * CLOCK_NS_PER_MS)

struct stored_packet {
	struct stored_packet *next;
	struct held_packet packet; /* its frame is behind this struct */
};

struct entry {
	struct entry *next;
	struct engine_flow *flow;
	uint64_t waits_since_ns; /* for packets that were held; 0: it does not */
	int fd; /* the kernel socket; -1 until it exists */
	bool is_connecting; /* method connect: it exists, and may not know yet that it is connected */
	struct handover *handover;
	struct loop_source *source; /* NULL unless the loop is to tell of the socket */
	bool has_reply;
	struct segment reply;
	struct stored_packet *first, **last;
};

struct handover {
	struct handover_options options;
	struct entry *first, **last;
	struct stored_packet *next, **next_last; /* of the remotes' next connections */
	uint32_t count, waiting; /* entries; those of them whose socket is with the loop */
};

int handover_new(struct handover **out, const struct handover_options *options)
{
	struct handover *handover = calloc(1, sizeof(*handover));

	if (!handover)
		return -ENOMEM;
	handover->options = *options;
	handover->last = &handover->first;
	handover->next_last = &handover->next;
	*out = handover;
	return 0;
}

static struct stored_packet *take_stored(struct entry *entry)
{
	struct stored_packet *stored = entry->first;

	if (!stored)
		return NULL;
	entry->first = stored->next;
	if (!entry->first)
		entry->last = &entry->first;
	return stored;
}

static void stop_waiting(struct entry *entry)
{
	if (!entry->source)
		return;
	loop_remove(entry->source);
	entry->source = NULL;
	entry->handover->waiting--;
}

static void free_stored(struct entry *entry)
{
	struct stored_packet *stored;

	while ((stored = take_stored(entry)))
		free(stored);
}

static void free_entry(struct entry *entry)
{
	stop_waiting(entry);
	entry->handover->count--;
	free_stored(entry);
	free(entry);
}

void handover_free(struct handover *handover)
{
	struct entry *entry;

	if (!handover)
		return;
	while ((entry = handover->first)) {
		handover->first = entry->next;
		stop_waiting(entry);
		if (entry->fd >= 0)
			close(entry->fd);
		free_entry(entry);
	}
	free(handover);
}

int handover_add(struct handover *handover, struct engine_flow *flow, const struct segment *reply)
{
	struct entry *entry = calloc(1, sizeof(*entry));

	if (!entry)
		return -ENOMEM;
	entry->flow = flow;
	entry->fd = -1;
	entry->handover = handover;
	handover->count++;
	entry->last = &entry->first;
	entry->has_reply = reply;
	if (reply)
		entry->reply = *reply;
	flow->owner = entry;
	*handover->last = entry;
	handover->last = &entry->next;
	return 0;
}

void handover_join(struct handover *handover, const struct engine_flow *flow, int fd)
{
	struct entry *entry = flow->owner;

	(void)handover;
	entry->fd = fd;
	entry->is_connecting = true;
}

void handover_store(struct handover *handover, const struct engine_flow *flow,
		    const struct held_packet *packet)
{
	struct entry *entry = flow->owner;
	struct stored_packet *stored = entry ? malloc(sizeof(*stored) + packet->frame_len) : NULL;

	if (!stored) {
		handover->options.stats->replay_failed++;
		return;
	}
	stored->next = NULL;
	stored->packet = *packet;
	stored->packet.frame = (const uint8_t *)(stored + 1);
	memcpy(stored + 1, packet->frame, packet->frame_len);
	*entry->last = stored;
	entry->last = &stored->next;
}

void handover_replay(struct handover *handover, const struct held_packet *packet)
{
	struct packet_io *io = handover->options.io;

	if (io->ops->replay(io, packet))
		handover->options.stats->replay_failed++;
	else
		handover->options.stats->replayed++;
}

static void send_segment(struct handover *handover, const struct segment *segment)
{
	struct packet_io *io = handover->options.io;

	if (io->ops->send(io, segment))
		handover->options.stats->send_failed++;
}

static void emit(struct handover *handover, enum event_kind kind, const struct engine_flow *flow,
		 int64_t handoff_us, const char *reason)
{
	const struct event event = {
		.kind = kind,
		.tuple = &flow->tuple,
		.method = adopted_method(flow, handover->options.io),
		.rtt_us = -1,
		.handoff_us = handoff_us,
		.reason = reason,
	};

	events_emit(handover->options.events, &event);
}

static void wake(void *context, uint32_t events)
{
	(void)events;
	stop_waiting(context);
}

/* The stack may be a moment behind: -EINPROGRESS, and the loop will tell. */
static int await_socket(struct handover *handover, struct entry *entry)
{
	int err = entry->source ? -EINPROGRESS : connect_back_result(entry->fd);

	if (err == -EINPROGRESS && !entry->source &&
	    !loop_add(handover->options.loop, entry->fd, EPOLLOUT, wake, entry, &entry->source))
		handover->waiting++;
	if (err == -EINPROGRESS)
		return err;
	stop_waiting(entry);
	entry->is_connecting = false;
	connect_back_settle(handover->options.connect_back, &entry->flow->tuple, entry->fd);
	if (err && entry->fd >= 0)
		close(entry->fd);
	if (err)
		entry->fd = -1;
	return err;
}

static int open_socket(struct handover *handover, struct entry *entry, uint64_t now_ns)
{
	if (entry->is_connecting)
		return await_socket(handover, entry);
	if (entry->fd < 0)
		return handoff_open(entry->flow, &handover->options.socket, now_ns, &entry->fd);
	return 0;
}

/* The handshake was completed and cannot be kept: the remote has to know. */
static void abort_flow(struct handover *handover, const struct engine_flow *flow, int err)
{
	const struct segment reset = {
		.tuple = flow->tuple,
		.seq = flow->iss + 1,
		.ack = flow->irs + 1,
		.flags = TCP_RST | TCP_ACK,
	};
	const bool lacks_descriptors = err == -EMFILE || err == -ENFILE;

	handover->options.stats->handoff_failed++;
	handover->options.stats->resets_sent++;
	emit(handover, EVENT_RESET, flow, -1,
	     lacks_descriptors ? "no_descriptors" : "handoff_failed");
	send_segment(handover, &reset);
	handover->options.io->ops->forget_flow(handover->options.io, &flow->tuple, false);
}

static void finish(struct handover *handover, struct entry *entry)
{
	const struct engine_flow *flow = entry->flow;
	const uint64_t took_ns = clock_monotonic_ns() - flow->established_ns;

	if (entry->has_reply)
		send_segment(handover, &entry->reply);
	handover->options.stats->handed_off++;
	emit(handover, EVENT_HANDED_OFF, flow, (int64_t)(took_ns / CLOCK_NS_PER_US), NULL);
	service_take(handover->options.service, entry->fd, &flow->tuple);
}

static bool may_wait(struct entry *entry, const struct packet_io *io, uint64_t now_ns)
{
	if (!entry->waits_since_ns)
		entry->waits_since_ns = now_ns;
	return !io->ops->force_flow || now_ns - entry->waits_since_ns < GIVE_UP_NS;
}

/* Not for the socket, which the remote has reset: it comes again from the same port. */
static bool begins_anew(const struct entry *entry, const struct held_packet *packet)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);
	struct segment segment;

	if (segment_parse(packet->frame + packet->l3_offset, packet->frame_len - packet->l3_offset,
			  &segment) != SEGMENT_OK ||
	    (segment.flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) != TCP_SYN)
		return false;
	return !getsockopt(entry->fd, IPPROTO_TCP, TCP_INFO, &info, &len) &&
	       info.tcpi_state == TCP_CLOSE;
}

static void replay_stored(struct handover *handover, struct entry *entry)
{
	while (entry->first && !begins_anew(entry, &entry->first->packet)) {
		struct stored_packet *stored = take_stored(entry);

		handover_replay(handover, &stored->packet);
		free(stored);
	}
}

/* true: done with, for better or worse. */
static bool hand_over(struct handover *handover, struct entry *entry, uint64_t now_ns)
{
	struct packet_io *io = handover->options.io;
	const struct engine_flow *flow = entry->flow;
	int err = open_socket(handover, entry, now_ns);

	if (err == -EINPROGRESS)
		return false;
	if (err) {
		abort_flow(handover, flow, err);
		free_stored(entry);
		return true;
	}
	replay_stored(handover, entry);
	err = io->ops->hand_off_flow(io, &flow->tuple, flow->held_seen);
	if (err == -EAGAIN && may_wait(entry, io, now_ns))
		return false;
	if (err == -EAGAIN)
		io->ops->force_flow(io, &flow->tuple);
	else if (
		err) /* the entry was removed by somebody else: the kernel has the flow all the same */
		log_debug("flow table: %s", strerror(-err));
	finish(handover, entry);
	return true;
}

/* What was not replayed, in order. Its numbers were those of the flow that is over. */
static void keep_for_next(struct handover *handover, struct entry *entry)
{
	struct stored_packet *stored;

	while ((stored = take_stored(entry))) {
		stored->next = NULL;
		stored->packet.held = 0;
		stored->packet.cookie = NULL;
		*handover->next_last = stored;
		handover->next_last = &stored->next;
	}
}

/* It may add to the list of hand-overs, so that is not being walked. */
static void give_back(struct handover *handover)
{
	struct stored_packet *stored = handover->next, *next;

	handover->next = NULL;
	handover->next_last = &handover->next;
	for (; stored; stored = next) {
		next = stored->next;
		handover->options.again(handover->options.context, &stored->packet);
		free(stored);
	}
}

void handover_work(struct handover *handover, uint64_t now_ns)
{
	struct entry **link = &handover->first;
	struct entry *entry;

	while ((entry = *link)) {
		if (!hand_over(handover, entry, now_ns)) {
			link = &entry->next;
			continue;
		}
		*link = entry->next;
		engine_release(handover->options.engine, entry->flow);
		keep_for_next(handover, entry);
		free_entry(entry);
	}
	handover->last = link;
	give_back(handover);
}

bool handover_is_empty(const struct handover *handover)
{
	return !handover->first;
}

bool handover_has_work(const struct handover *handover)
{
	return handover->count > handover->waiting;
}
