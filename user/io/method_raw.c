// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The tap sees what leaves, too: first the kernel's RST, then our SYN-ACK, each with its time. */
#include "method_raw.h"

#include <errno.h>
#include <stdlib.h>

#include "log.h"
#include "tapped.h"

#define KILLED_MAX 256 /* told once a round, which brings no more packets than that */

struct method_raw {
	struct tapped tapped; /* first */
	struct killed_flow killed[KILLED_MAX];
	unsigned int killed_count;
};

static struct method_raw *from_io(struct packet_io *io)
{
	return (struct method_raw *)io;
}

static void add_killed(struct method_raw *raw, const struct tuple *tuple, uint64_t first_by_ns)
{
	if (raw->killed_count < KILLED_MAX)
		raw->killed[raw->killed_count++] = (struct killed_flow){*tuple, first_by_ns};
}

/* segment was parsed as received: its remote end is ours. */
static void take_outgoing(struct tapped *tapped, const struct segment *segment,
			  const struct tap_packet *packet)
{
	const struct tuple tuple = {segment->tuple.remote, segment->tuple.local};
	struct flow_entry *entry = flow_memory_find(tapped->bpfless.flows, &tuple);

	if (!entry || entry->flow.state != NOL_FLOW_SYN_RECEIVED)
		return;
	if (segment->flags & TCP_RST && !entry->rst_ns)
		entry->rst_ns = packet->realtime_ns;
	if ((segment->flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK) && entry->rst_ns &&
	    packet->realtime_ns >= entry->rst_ns)
		add_killed((struct method_raw *)tapped, &tuple,
			   packet->realtime_ns - entry->rst_ns);
}

static bool take_killed(struct packet_io *io, struct killed_flow *out)
{
	struct method_raw *raw = from_io(io);

	if (!raw->killed_count)
		return false;
	*out = raw->killed[--raw->killed_count];
	return true;
}

static int attach(struct packet_io *io)
{
	struct method_raw *raw = from_io(io);

	log_warning("%s: method raw suppresses nothing: the kernel will win, its RST ends each "
		    "handshake before our SYN-ACK is out",
		    raw->tapped.bpfless.options.ifname);
	return tap_start(raw->tapped.tap);
}

static void detach(struct packet_io *io)
{
	tap_stop(from_io(io)->tapped.tap);
}

static void free_method(struct packet_io *io)
{
	tapped_release(&from_io(io)->tapped);
	free(io);
}

static const struct packet_io_ops ops = {
	.method = NOL_METHOD_RAW,
	.shield = PACKET_SHIELD_DEAF,
	.attach = attach,
	.detach = detach,
	.add_prefix = bpfless_add_prefix,
	.remove_prefix = bpfless_remove_prefix,
	.set_mtu = bpfless_set_mtu,
	.read_stats = tapped_read_stats,
	.receive = tapped_receive,
	.send = bpfless_send,
	.flush = bpfless_flush,
	.set_spinning = bpfless_set_spinning,
	.open_flow = bpfless_open_flow,
	.replay = bpfless_replay,
	.hand_off_flow = tapped_hand_off_flow,
	.close_flow = tapped_close_flow,
	.is_handed_off = bpfless_is_handed_off,
	.forget_flow = bpfless_forget_flow,
	.visit_flows = bpfless_visit_flows,
	.take_killed = take_killed,
	.fd = tapped_fd,
	.free = free_method,
};

int method_raw_new(struct packet_io **out, const struct bpfless_options *options)
{
	struct method_raw *raw = calloc(1, sizeof(*raw));
	int err;

	if (!raw)
		return -ENOMEM;
	err = tapped_init(&raw->tapped, &ops, options, take_outgoing);
	if (err)
		free_method(&raw->tapped.bpfless.io);
	else
		*out = &raw->tapped.bpfless.io;
	return err;
}
