/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The socket of an active open. Its handshake is complete with the remote's SYN-ACK, and the remote sends nothing before our ACK;
 * so the socket is made first, and then the ACK leaves: nothing can come too early.
 *
 * What repair cannot set, a socket learns of the packet that ends a handshake (see repair.c): RTT, RTO and MSS. That of ours goes
 * to the remote, so the socket is shown what a remote would have sent in its place: a bare ACK with the window and
 * the timestamps of the SYN-ACK.
 */
#include "opening.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <abi/abi.h>

#include "clock.h"
#include "log.h"
#include "repair.h"

#define PACKET_MAX 128 /* headers with all options */
#define L4_OFFSET_MIN 20

static struct held_packet held_of(const uint8_t *ip, size_t len)
{
	return (struct held_packet){
		.frame = ip,
		.frame_len = (uint32_t)len,
		.l4_offset = L4_OFFSET_MIN,
		.is_whole = true,
	};
}

static void replay(const struct opening_wire *wire, const struct held_packet *packet)
{
	const int err = raw_replay_packet(wire->replay, packet);

	if (err)
		log_debug("connect: cannot replay a packet: %s", strerror(-err));
}

void opening_replay(const struct opening_wire *wire, const struct opening_packet *packet)
{
	const struct held_packet held = held_of(packet->tapped->ip, packet->tapped->len);

	/* The SYN-ACK again: there is no data in it that will not come again. */
	if (packet->tapped->is_whole && !(packet->segment->flags & TCP_SYN))
		replay(wire, &held);
}

/* Its window is in whole units of the scale, as the ACK will have it. */
static bool can_be_shown_an_ack(const struct engine_flow *flow)
{
	return !flow->starts_slowly && flow->remote_window >> flow->remote_wscale > 1;
}

static void show_ack(const struct opening_wire *wire, const struct engine_flow *flow,
		     const struct segment *syn_ack)
{
	const struct segment ack = {
		.tuple = {.local = flow->tuple.remote, .remote = flow->tuple.local},
		.seq = flow->irs + 1,
		.ack = flow->iss + 1,
		.flags = TCP_ACK,
		.window = (uint16_t)(flow->remote_window >> flow->remote_wscale),
		.options = {.has_timestamps = flow->has_timestamps,
			    .tsval = syn_ack->options.tsval,
			    .tsecr = syn_ack->options.tsecr},
	};
	uint8_t packet[PACKET_MAX];
	const struct held_packet held =
		held_of(packet, segment_build(&ack, packet, sizeof(packet)));

	replay(wire, &held);
}

static int set_int(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) ? -errno : 0;
}

/* What it sends looks like what the engine has sent. */
static int set_ttl(const struct opening *opening)
{
	const uint8_t ttl = opening->options.syn.ttl;

	if (!ttl)
		return 0;
	return addr_is_v4(&opening->options.tuple.local.addr)
		       ? set_int(opening->fd, IPPROTO_IP, IP_TTL, ttl)
		       : set_int(opening->fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, ttl);
}

int opening_settle(const struct opening *opening, const struct opening_wire *wire)
{
	if (!wire->ifindex)
		return 0;
	return set_int(opening->fd, SOL_SOCKET, SO_BINDTOIFINDEX, (int)wire->ifindex);
}

static int make_socket(struct opening *opening, const struct engine_flow *flow, uint32_t ifindex)
{
	const struct socket_place place = {
		.scope_id = opening->stand_in.scope_id,
		.needs_freebind = opening->stand_in.needs_freebind,
	};
	int err;

	stand_in_make_way(&opening->stand_in, ifindex);
	err = repair_open(flow, &place, WIRE_SHIELD_DEAF, clock_monotonic_ns(), &opening->fd);
	if (!err)
		err = set_ttl(opening);
	stand_in_close(&opening->stand_in);
	return err;
}

static void send_segment(const struct opening_wire *wire, const struct segment *segment)
{
	int err = raw_send_queue(wire->sender, segment);

	if (!err)
		err = raw_send_flush(wire->sender);
	if (err)
		log_debug("connect: cannot send a segment: %s", strerror(-err));
}

void opening_abort(struct opening *opening, const struct opening_wire *wire)
{
	const struct segment reset = {
		.tuple = opening->options.tuple,
		.seq = opening->flow->iss + 1,
		.ack = opening->flow->irs + 1,
		.flags = TCP_RST | TCP_ACK,
	};

	if (opening->fd >= 0)
		close(opening->fd);
	opening->fd = -1;
	send_segment(wire, &reset);
}

void opening_hand_off(struct opening *opening, const struct opening_wire *wire,
		      const struct engine_action *action, const struct opening_packet *packet)
{
	struct engine_flow flow = *action->flow;
	const bool is_shown = !action->has_reply || can_be_shown_an_ack(&flow);

	flow.is_active = !is_shown;
	if (action->has_reply && is_shown)
		flow.remote_window = flow.remote_window >> flow.remote_wscale << flow.remote_wscale;
	opening->err = make_socket(opening, &flow, packet->tapped->ifindex);
	if (opening->err) {
		opening_abort(opening, wire);
		return;
	}
	if (!action->has_reply)
		opening_replay(wire, packet);
	else if (is_shown)
		show_ack(wire, &flow, packet->segment);
	if (action->has_reply)
		send_segment(wire, &action->reply);
	opening->arrived = tap_arrived(wire->tap);
}
