/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The ring on the way in, raw and packet sockets on the way out. */
#include "wire_ring.h"

#include <errno.h>
#include <stdlib.h>

#include "container.h"
#include "raw_send.h"

struct wire_ring {
	struct wire wire;
	struct kern *kern;
	struct kern_ring *ring;
	uint32_t worker;
	struct raw_send *sender;
	struct replay *replay;
	packet_fn fn;
	void *context;
};

static struct wire_ring *from_wire(struct wire *wire)
{
	return container_of(wire, struct wire_ring, wire);
}

static bool is_counted(const struct nol_record *record)
{
	return record->reason == NOL_HOLD_FLOW || record->reason == NOL_HOLD_COOKIE;
}

static void take_record(void *context, const struct nol_record *record, const uint8_t *frame)
{
	const struct wire_ring *ring = context;
	const struct held_packet packet = {
		.frame = frame,
		.frame_len = record->snap_len,
		.l3_offset = record->l3_offset,
		.l4_offset = record->l4_offset,
		.is_whole = record->snap_len == record->frame_len,
		.held_ns = record->held_ns,
		.held = is_counted(record) ? record->held : 0,
		.has_time_wait = record->reason == NOL_HOLD_TIME_WAIT,
		.time_wait_snd_nxt = record->time_wait_snd_nxt,
		.is_turned = record->is_turned,
		.has_cookie = record->reason == NOL_HOLD_COOKIE,
		.terms = record->terms,
	};

	ring->fn(ring->context, &packet);
}

static int receive(struct wire *wire, uint32_t max, packet_fn fn, void *context)
{
	struct wire_ring *ring = from_wire(wire);

	ring->fn = fn;
	ring->context = context;
	return kern_ring_consume(ring->ring, max, take_record, ring);
}

static int send_segment(struct wire *wire, const struct segment *segment)
{
	return raw_send_queue(from_wire(wire)->sender, segment);
}

static int flush(struct wire *wire)
{
	return raw_send_flush(from_wire(wire)->sender);
}

static void set_spinning(struct wire *wire, bool is_spinning)
{
	const struct wire_ring *ring = from_wire(wire);
	uint8_t *spinning = &kern_config(ring->kern)->spinning[ring->worker];

	/* Before sleeping the ring is looked at once more: the store has to be seen by then. */
	__atomic_store_n(spinning, is_spinning, __ATOMIC_SEQ_CST);
}

static void set_mtu(struct wire *wire, uint32_t mtu)
{
	replay_set_mtu(from_wire(wire)->replay, mtu);
}

static int replay_held(struct wire *wire, const struct held_packet *packet)
{
	return replay_packet(from_wire(wire)->replay, packet);
}

static int ring_fd(const struct wire *wire)
{
	return kern_ring_fd(container_of(wire, const struct wire_ring, wire)->ring);
}

static void free_ring(struct wire *wire)
{
	struct wire_ring *ring = from_wire(wire);

	raw_send_free(ring->sender);
	replay_free(ring->replay);
	free(ring);
}

static const struct wire_ops ops = {
	.shield = WIRE_SHIELD_HOLD,
	.receive = receive,
	.send = send_segment,
	.flush = flush,
	.replay = replay_held,
	.set_mtu = set_mtu,
	.set_spinning = set_spinning,
	.fd = ring_fd,
	.free = free_ring,
};

int wire_ring_new(struct wire **out, struct kern *kern, uint32_t worker,
		  const struct replay_options *options)
{
	struct wire_ring *ring = calloc(1, sizeof(*ring));
	struct replay_options with_tag = *options;
	int err;

	if (!ring)
		return -ENOMEM;
	ring->wire.ops = &ops;
	ring->kern = kern;
	ring->ring = kern_ring(kern, worker);
	ring->worker = worker;
	with_tag.tag = kern_config(kern)->replay_tag;
	err = raw_send_new(&ring->sender, options->ifindex, NOL_MARK);
	if (!err)
		err = replay_new(&ring->replay, &with_tag);
	if (err)
		free_ring(&ring->wire);
	else
		*out = &ring->wire;
	return err;
}
