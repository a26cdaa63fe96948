/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Held packets go back into the stack: a packet socket sends the frame out of its interface, marked; TC egress turns it
 * round (bpf_redirect with BPF_F_INGRESS), and ingress knows it by its tag. An IP raw socket would not do, since routing
 * sends a local destination through lo; on lo itself it is the way, since a frame that is turned round there
 * has lost its route and is dropped as a martian.
 */
#ifndef NOLISTEN_REPLAY_H
#define NOLISTEN_REPLAY_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

#include <abi/abi.h>

#include "wire.h"

struct replay;

struct replay_options {
	uint32_t ifindex;
	bool has_link_header;
	bool is_loopback;
	uint32_t mtu;
	uint32_t tag; /* nol_config.replay_tag */
};

int replay_new(struct replay **out, const struct replay_options *options);
void replay_free(struct replay *replay);

/* Cut at the MTU, checksums computed anew; every slice is in the stack when this returns. -errno of what could not be sent. */
int replay_packet(struct replay *replay, const struct held_packet *packet);
/* A frame of ours, whole, out of the interface as it is. -errno; -EOPNOTSUPP on lo, where no program answers. */
int replay_answer(struct replay *replay, const void *frame, size_t len);
void replay_set_mtu(struct replay *replay, uint32_t mtu);

#endif
