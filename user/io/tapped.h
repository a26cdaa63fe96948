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
int tapped_init(struct tapped *tapped, const struct bpfless_ops *ops,
		const struct bpfless_options *options, tapped_outgoing_fn outgoing);
void tapped_release(struct tapped *tapped);

struct tapped *tapped_of_gate(struct gate *gate);

/* Members of the tables. */
int tapped_set_ports(struct gate *gate, const struct port_set *ports);
int tapped_read_stats(struct gate *gate, struct nol_stats *out);
int tapped_receive(struct wire *wire, uint32_t max, packet_fn fn, void *context);
int tapped_fd(const struct wire *wire);
/* All that both methods do with flows. */
extern const struct flows_ops tapped_flows_ops;

#endif
