// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The tap sees what leaves, too: first the kernel's RST, then our SYN-ACK, each with its time. */
#include "method_raw.h"

#include <errno.h>
#include <stdlib.h>

#include "container.h"
#include "log.h"
#include "tapped.h"

#define KILLED_MAX 256 /* told once a round, which brings no more packets than that */

struct method_raw {
	struct tapped tapped; /* first */
	struct killed_flow killed[KILLED_MAX];
	unsigned int killed_count;
};

static struct method_raw *from_tapped(struct tapped *tapped)
{
	return container_of(tapped, struct method_raw, tapped);
}

static struct method_raw *from_gate(struct gate *gate)
{
	return from_tapped(tapped_of_gate(gate));
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
		add_killed(from_tapped(tapped), &tuple, packet->realtime_ns - entry->rst_ns);
}

static bool take_killed(struct wire *wire, struct killed_flow *out)
{
	struct method_raw *raw = from_gate(&bpfless_of_wire(wire)->gate);

	if (!raw->killed_count)
		return false;
	*out = raw->killed[--raw->killed_count];
	return true;
}

static int attach(struct gate *gate)
{
	struct method_raw *raw = from_gate(gate);

	log_warning("%s: method raw suppresses nothing: the kernel will win, its RST ends each "
		    "handshake before our SYN-ACK is out",
		    raw->tapped.bpfless.options.ifname);
	return tap_start(raw->tapped.tap);
}

static void detach(struct gate *gate)
{
	tap_stop(from_gate(gate)->tapped.tap);
}

static void free_method(struct gate *gate)
{
	tapped_release(&from_gate(gate)->tapped);
	free(from_gate(gate));
}

static const struct gate_ops gate_ops = {
	.attach = attach,
	.detach = detach,
	.add_prefix = bpfless_add_prefix,
	.remove_prefix = bpfless_remove_prefix,
	.set_ports = tapped_set_ports,
	.read_stats = tapped_read_stats,
	.free = free_method,
};

static const struct wire_ops wire_ops = {
	.shield = WIRE_SHIELD_DEAF,
	.receive = tapped_receive,
	.send = bpfless_send,
	.flush = bpfless_flush,
	.replay = bpfless_replay,
	.set_mtu = bpfless_set_mtu,
	.take_killed = take_killed,
	.fd = tapped_fd,
};

static const struct bpfless_ops ops = {
	.method = NOL_METHOD_RAW,
	.gate = &gate_ops,
	.flows = &tapped_flows_ops,
	.wire = &wire_ops,
};

int method_raw_new(struct method_parts *out, const struct bpfless_options *options)
{
	struct method_raw *raw = calloc(1, sizeof(*raw));
	int err;

	if (!raw)
		return -ENOMEM;
	err = tapped_init(&raw->tapped, &ops, options, take_outgoing);
	if (err)
		free_method(&raw->tapped.bpfless.gate);
	else
		*out = bpfless_parts(&raw->tapped.bpfless);
	return err;
}
