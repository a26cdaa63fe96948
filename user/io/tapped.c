// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* From the tap's packets to held ones. */
#include "tapped.h"

#include <errno.h>

#include "clock.h"
#include "container.h"

#define MIN_L4_OFFSET 20

static struct tapped *of(struct bpfless *bpfless)
{
	return container_of(bpfless, struct tapped, bpfless);
}

int tapped_init(struct tapped *tapped, const struct bpfless_ops *ops,
		const struct bpfless_options *options, tapped_outgoing_fn outgoing)
{
	const struct tap_options tap = {
		.ifindex = options->ifindex,
		.ports = options->ports,
		.sees_outgoing = outgoing,
	};
	int err = bpfless_init(&tapped->bpfless, ops, options);

	tapped->outgoing = outgoing;
	return err ?: tap_new(&tapped->tap, &tap);
}

void tapped_release(struct tapped *tapped)
{
	tap_free(tapped->tap);
	bpfless_release(&tapped->bpfless);
}

static void count_unparsed(struct nol_stats *stats, enum segment_error error)
{
	if (error == SEGMENT_FRAGMENT)
		stats->ingress_fragment++;
	else if (error == SEGMENT_NOT_TCP)
		stats->ingress_not_tcp++;
	else
		stats->ingress_odd++;
}

/* Its socket was still there, or only just gone, when this packet arrived: the kernel has answered it, if anybody has to. */
static bool met_last_socket(struct tapped *tapped, const struct segment *segment, uint64_t now_ns)
{
	struct flow_entry *entry = flow_memory_find(tapped->bpfless.flows, &segment->tuple);

	return entry && entry->flow.state == NOL_FLOW_CLOSED &&
	       tap_received(tapped->tap) <= entry->arrived &&
	       bpfless_met_socket(&tapped->bpfless, entry, segment, now_ns);
}

static void take_packet(void *context, const struct tap_packet *packet)
{
	struct tapped *tapped = context;
	const struct held_packet held = {
		.frame = packet->ip,
		.frame_len = packet->len,
		.l4_offset = MIN_L4_OFFSET,
		.is_whole = packet->is_whole,
		.held_ns = clock_monotonic_ns(),
	};
	struct segment segment;
	enum segment_error error = segment_parse(packet->ip, packet->len, &segment);

	if (packet->is_outgoing) {
		if (!error)
			tapped->outgoing(tapped, &segment, packet);
	} else if (error) {
		count_unparsed(&tapped->bpfless.stats, error);
	} else if (met_last_socket(tapped, &segment, held.held_ns)) {
		tapped->bpfless.stats.ingress_handed_off++;
	} else if (bpfless_takes(&tapped->bpfless, &segment, held.held_ns)) {
		tapped->fn(tapped->context, &held);
	}
}

int tapped_receive(struct wire *wire, uint32_t max, packet_fn fn, void *context)
{
	struct tapped *tapped = of(bpfless_of_wire(wire));

	tapped->fn = fn;
	tapped->context = context;
	return tap_receive(tapped->tap, max, take_packet, tapped);
}

/* The first attempt is made when the kernel socket exists: all that it missed has arrived by then. */
static int hand_off_flow(struct flows *flows, const struct tuple *tuple, uint32_t held)
{
	struct tapped *tapped = of(bpfless_of_flows(flows));
	struct flow_entry *entry = flow_memory_find(tapped->bpfless.flows, tuple);

	if (!entry)
		return -ENOENT;
	if (!entry->arrived)
		entry->arrived = tap_arrived(tapped->tap);
	if (tap_received(tapped->tap) < entry->arrived)
		return -EAGAIN;
	return bpfless_hand_off_flow(flows, tuple, held);
}

static int close_flow(struct flows *flows, const struct tuple *tuple)
{
	struct tapped *tapped = of(bpfless_of_flows(flows));
	struct flow_entry *entry = flow_memory_find(tapped->bpfless.flows, tuple);

	if (entry && entry->flow.state == NOL_FLOW_HANDED_OFF)
		entry->arrived = tap_arrived(tapped->tap);
	return bpfless_close_flow(flows, tuple);
}

const struct flows_ops tapped_flows_ops = {
	.open = bpfless_open_flow,
	.hand_off = hand_off_flow,
	.shut = bpfless_shut_flow,
	.end_shut = bpfless_end_shut_flow,
	.close = close_flow,
	.get = bpfless_get_flow,
	.forget = bpfless_forget_flow,
	.visit = bpfless_visit_flows,
};

struct tapped *tapped_of_gate(struct gate *gate)
{
	return of(bpfless_of_gate(gate));
}

int tapped_set_ports(struct gate *gate, const struct port_set *ports)
{
	return tap_set_ports(tapped_of_gate(gate)->tap, ports);
}

int tapped_read_stats(struct gate *gate, struct nol_stats *out)
{
	struct tapped *tapped = tapped_of_gate(gate);

	bpfless_read_stats(gate, out);
	out->lost_ring_full = tap_lost(tapped->tap);
	return 0;
}

int tapped_fd(const struct wire *wire)
{
	return tap_fd(of(bpfless_of_wire(wire))->tap);
}
