// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* From the tap's packets to held ones. */
#include "tapped.h"

#include <errno.h>

#include "clock.h"

#define MIN_L4_OFFSET 20

static struct tapped *from_io(struct packet_io *io)
{
	return (struct tapped *)io;
}

int tapped_init(struct tapped *tapped, const struct packet_io_ops *ops,
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

/*
 * Its socket was still there, or only just gone, when this packet arrived: the kernel has answered it, if anybody has to.
 * Not so a SYN, which the remote may send between the end of the socket and our hearing of it: nobody would answer.
 */
static bool met_last_socket(struct tapped *tapped, const struct segment *segment)
{
	const struct flow_entry *entry = flow_memory_find(tapped->bpfless.flows, &segment->tuple);

	return entry && !bpfless_is_bare_syn(segment) && entry->flow.state == NOL_FLOW_CLOSED &&
	       tap_received(tapped->tap) <= entry->arrived;
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
	} else if (met_last_socket(tapped, &segment)) {
		tapped->bpfless.stats.ingress_handed_off++;
	} else if (bpfless_takes(&tapped->bpfless, &segment, held.held_ns)) {
		tapped->fn(tapped->context, &held);
	}
}

int tapped_receive(struct packet_io *io, uint32_t max, packet_fn fn, void *context)
{
	struct tapped *tapped = from_io(io);

	tapped->fn = fn;
	tapped->context = context;
	return tap_receive(tapped->tap, max, take_packet, tapped);
}

/* The first attempt is made when the kernel socket exists: all that it missed has arrived by then. */
int tapped_hand_off_flow(struct packet_io *io, const struct tuple *tuple, uint32_t held)
{
	struct tapped *tapped = from_io(io);
	struct flow_entry *entry = flow_memory_find(tapped->bpfless.flows, tuple);

	if (!entry)
		return -ENOENT;
	if (!entry->arrived)
		entry->arrived = tap_arrived(tapped->tap);
	if (tap_received(tapped->tap) < entry->arrived)
		return -EAGAIN;
	return bpfless_hand_off_flow(io, tuple, held);
}

int tapped_close_flow(struct packet_io *io, const struct tuple *tuple)
{
	struct tapped *tapped = from_io(io);
	struct flow_entry *entry = flow_memory_find(tapped->bpfless.flows, tuple);

	if (entry && entry->flow.state == NOL_FLOW_HANDED_OFF)
		entry->arrived = tap_arrived(tapped->tap);
	return bpfless_close_flow(io, tuple);
}

int tapped_read_stats(struct packet_io *io, struct nol_stats *out)
{
	struct tapped *tapped = from_io(io);

	bpfless_read_stats(io, out);
	out->lost_ring_full = tap_lost(tapped->tap);
	return 0;
}

int tapped_fd(const struct packet_io *io)
{
	return tap_fd(((const struct tapped *)io)->tap);
}
