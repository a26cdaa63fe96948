/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What filter and raw share: packets from a tap, of which the kernel has the originals. That is why a hand-off has to
 * wait for the tap's queue: what arrived before the kernel socket existed met no socket and has to be replayed; what
 * arrived later reached it, and a replay of it is a duplicate that TCP drops.
 */
#ifndef NOLISTEN_TAPPED_H
#define NOLISTEN_TAPPED_H

#include "bpfless.h"
#include "tap.h"

struct tapped;

typedef void (*tapped_outgoing_fn)(struct tapped *tapped, const struct segment *segment,
				   const struct tap_packet *packet);

struct tapped {
	struct bpfless bpfless; /* first */
	struct tap *tap;
	tapped_outgoing_fn outgoing; /* NULL: outgoing packets are not of interest */
	packet_fn fn;
	void *context;
};

/* As bpfless_init(). */
int tapped_init(struct tapped *tapped, const struct packet_io_ops *ops,
		const struct bpfless_options *options, tapped_outgoing_fn outgoing);
void tapped_release(struct tapped *tapped);

int tapped_receive(struct packet_io *io, uint32_t max, packet_fn fn, void *context);
int tapped_hand_off_flow(struct packet_io *io, const struct tuple *tuple, uint32_t held);
int tapped_close_flow(struct packet_io *io, const struct tuple *tuple);
int tapped_read_stats(struct packet_io *io, struct nol_stats *out);
int tapped_fd(const struct packet_io *io);

#endif
