/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What is sent leaves as an IP packet, and gets its link header from the kernel. In the capture it has that of the last packet that
 * came from there, turned round; where none came, zeros.
 */
#include "captured_wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "container.h"
#include "ip.h"

#define NEIGHBOURS (1u << 10)
#define COOKIES (1u << 12)
#define MAC_LEN 6
#define ETHERNET_LEN 14
#define SENT_MAX 128
#define FLAGS_OFFSET 13

/* Destination and source of what is sent to an address. */
struct neighbour {
	struct addr remote;
	uint8_t addresses[2 * MAC_LEN];
};

struct captured_wire {
	struct wire wire;
	struct wire_ops ops;
	struct wire *inner;
	struct capture *capture;
	enum nol_method method;
	enum nol_capture_verdict taken_as;
	struct neighbour *neighbours;
	uint64_t *
		cookies; /* hashes of the flows that a cookie has begun lately: XDP has answered their SYNs */
	packet_fn fn; /* during receive() */
	void *context;
};

static struct captured_wire *from_wire(struct wire *wire)
{
	return container_of(wire, struct captured_wire, wire);
}

static const struct wire *inner_of(const struct wire *wire)
{
	return container_of(wire, const struct captured_wire, wire)->inner;
}

static struct neighbour *place_of(const struct captured_wire *captured, const struct addr *remote)
{
	uint64_t words[2];

	memcpy(words, remote->bytes, sizeof(words));
	return &captured->neighbours[(words[0] ^ words[1]) * 0x9e3779b97f4a7c15ull >> 54];
}

static uint64_t hash_of(const struct tuple *tuple)
{
	uint64_t remote[2], hash;

	memcpy(remote, tuple->remote.addr.bytes, sizeof(remote));
	hash = (uint64_t)tuple->remote.port << 16 | tuple->local.port;
	return ((remote[0] ^ remote[1]) * 0x9e3779b97f4a7c15ull ^ hash) * 0xff51afd7ed558ccdull;
}

/* Who has answered the SYN. */
static enum nol_method answerer_of(const struct captured_wire *captured,
				   const struct held_packet *packet, const struct tuple *tuple)
{
	const uint64_t hash = hash_of(tuple);
	uint64_t *place = &captured->cookies[hash >> 52];

	if (packet->has_cookie)
		*place = hash;
	else if (!packet->held && *place == hash)
		*place = 0;
	return *place == hash ? NOL_METHOD_XDP : captured->method;
}

static bool is_syn(const struct held_packet *packet)
{
	const uint8_t *ip = packet->frame + packet->l3_offset;
	const size_t tcp = ip_version(ip) == 4 ? (ip[0] & 0xf) * 4u : IP_V6_HEADER_LEN;

	return packet->l3_offset + tcp + IP_TCP_HEADER_LEN <= packet->frame_len &&
	       (ip[tcp + FLAGS_OFFSET] & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;
}

/* Without BPF nobody numbers what is held of a flow. */
static uint16_t reason_of(const struct captured_wire *captured, const struct held_packet *packet)
{
	const bool has_numbers =
		captured->method == NOL_METHOD_ENGINE || captured->method == NOL_METHOD_CONNECT;

	if (packet->has_cookie)
		return NOL_CAPTURE_REASON(held_cookie);
	if (packet->has_time_wait)
		return NOL_CAPTURE_REASON(held_time_wait);
	if (packet->held)
		return NOL_CAPTURE_REASON(held_flow);
	if (is_syn(packet))
		return NOL_CAPTURE_REASON(held_syn);
	return has_numbers ? NOL_CAPTURE_REASON(held_stray) : NOL_CAPTURE_NO_REASON;
}

static void remember_neighbour(const struct captured_wire *captured,
			       const struct held_packet *packet, const struct tuple *tuple)
{
	struct neighbour *neighbour;

	if (packet->l3_offset < ETHERNET_LEN)
		return;
	neighbour = place_of(captured, &tuple->remote.addr);
	neighbour->remote = tuple->remote.addr;
	memcpy(neighbour->addresses, packet->frame + MAC_LEN, MAC_LEN);
	memcpy(neighbour->addresses + MAC_LEN, packet->frame, MAC_LEN);
}

static bool read_tuple(const struct held_packet *packet, struct tuple *out)
{
	return segment_read_tuple(packet->frame + packet->l3_offset,
				  packet->frame_len - packet->l3_offset,
				  packet->l4_offset - packet->l3_offset, out);
}

static void copy_packet(const struct captured_wire *captured, const struct held_packet *packet,
			enum nol_capture_verdict verdict, enum nol_method method)
{
	const struct captured copy = {
		.taken_ns =
			verdict == NOL_CAPTURE_REPLAYED ? clock_monotonic_ns() : packet->held_ns,
		.verdict = verdict,
		.reason = reason_of(captured, packet),
		.method = method,
		.is_l3 = !packet->l3_offset,
		.frame = packet->frame,
		.snap_len = packet->frame_len,
		.frame_len = packet->frame_len,
	};

	capture_add(captured->capture, &copy);
}

static void take_packet(void *context, const struct held_packet *packet)
{
	struct captured_wire *captured = context;

	enum nol_method method = captured->method;
	struct tuple tuple;

	if (read_tuple(packet, &tuple)) {
		remember_neighbour(captured, packet, &tuple);
		method = answerer_of(captured, packet, &tuple);
	}
	copy_packet(captured, packet, captured->taken_as, method);
	captured->fn(captured->context, packet);
}

static int receive(struct wire *wire, uint32_t max, packet_fn fn, void *context)
{
	struct captured_wire *captured = from_wire(wire);

	captured->fn = fn;
	captured->context = context;
	return captured->inner->ops->receive(captured->inner, max, take_packet, captured);
}

static void copy_segment(const struct captured_wire *captured, const struct segment *segment)
{
	const struct addr *remote = &segment->tuple.remote.addr;
	const struct neighbour *neighbour = place_of(captured, remote);
	uint8_t packet[SENT_MAX];
	struct captured copy = {
		.taken_ns = clock_monotonic_ns(),
		.verdict = NOL_CAPTURE_SENT,
		.reason = NOL_CAPTURE_NO_REASON,
		.method = captured->method,
		.is_outgoing = true,
		.is_l3 = true,
		.frame = packet,
		.snap_len = (uint32_t)segment_build(segment, packet, sizeof(packet)),
		.addresses =
			addr_is_equal(&neighbour->remote, remote) ? neighbour->addresses : NULL,
	};

	copy.frame_len = copy.snap_len;
	if (copy.snap_len)
		capture_add(captured->capture, &copy);
}

static int send_segment(struct wire *wire, const struct segment *segment)
{
	struct captured_wire *captured = from_wire(wire);
	const int err = captured->inner->ops->send(captured->inner, segment);

	if (!err && capture_wants(captured->capture, NOL_CAPTURE_SENT))
		copy_segment(captured, segment);
	return err;
}

static int flush(struct wire *wire)
{
	struct wire *inner = from_wire(wire)->inner;

	return inner->ops->flush(inner);
}

static int replay(struct wire *wire, const struct held_packet *packet)
{
	struct captured_wire *captured = from_wire(wire);
	const int err = captured->inner->ops->replay(captured->inner, packet);

	enum nol_method method = captured->method;
	struct tuple tuple;

	if (err || !capture_wants(captured->capture, NOL_CAPTURE_REPLAYED))
		return err;
	if (read_tuple(packet, &tuple))
		method = answerer_of(captured, packet, &tuple);
	copy_packet(captured, packet, NOL_CAPTURE_REPLAYED, method);
	return err;
}

static void set_mtu(struct wire *wire, uint32_t mtu)
{
	struct wire *inner = from_wire(wire)->inner;

	inner->ops->set_mtu(inner, mtu);
}

static void set_spinning(struct wire *wire, bool is_spinning)
{
	struct wire *inner = from_wire(wire)->inner;

	inner->ops->set_spinning(inner, is_spinning);
}

static bool take_killed(struct wire *wire, struct killed_flow *out)
{
	struct wire *inner = from_wire(wire)->inner;

	return inner->ops->take_killed(inner, out);
}

static int wire_fd(const struct wire *wire)
{
	const struct wire *inner = inner_of(wire);

	return inner->ops->fd(inner);
}

static void free_captured(struct wire *wire)
{
	struct captured_wire *captured = from_wire(wire);

	wire_free(captured->inner);
	free(captured->neighbours);
	free(captured->cookies);
	free(captured);
}

int captured_wire_new(struct wire **out, struct wire *inner, struct capture *capture,
		      enum nol_method method)
{
	struct captured_wire *captured = calloc(1, sizeof(*captured));

	if (!captured)
		return -ENOMEM;
	captured->neighbours = calloc(NEIGHBOURS, sizeof(struct neighbour));
	captured->cookies = calloc(COOKIES, sizeof(uint64_t));
	if (!captured->neighbours || !captured->cookies) {
		free(captured->neighbours);
		free(captured->cookies);
		free(captured);
		return -ENOMEM;
	}
	/* Whether some of them are there says something of the wire. */
	captured->ops = (struct wire_ops){
		.shield = inner->ops->shield,
		.receive = receive,
		.send = send_segment,
		.flush = flush,
		.replay = replay,
		.set_mtu = set_mtu,
		.set_spinning = inner->ops->set_spinning ? set_spinning : NULL,
		.take_killed = inner->ops->take_killed ? take_killed : NULL,
		.fd = wire_fd,
		.free = free_captured,
	};
	captured->wire.ops = &captured->ops;
	captured->inner = inner;
	captured->capture = capture;
	captured->method = method;
	/* Its sockets have to be deaf, as the kernel has each packet too. */
	captured->taken_as =
		inner->ops->shield == WIRE_SHIELD_DEAF ? NOL_CAPTURE_COPIED : NOL_CAPTURE_HELD;
	*out = &captured->wire;
	return 0;
}
