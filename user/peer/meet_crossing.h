/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * meet --crossed: two SYNs cross if each is on its way before the other has arrived. The guard holds what the peer sends;
 * once its SYN is there our own goes out, and only then the held packets go on into the stack, in order, and all that
 * follow until the connection is there. To the two kernels that is a network that was slow in one direction.
 */
#ifndef NOLISTEN_MEET_CROSSING_H
#define NOLISTEN_MEET_CROSSING_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

#include <abi/meet.h>

struct meet_crossing;

int meet_crossing_new(struct meet_crossing **out, uint32_t ifindex); /* errors are logged */
void meet_crossing_free(struct meet_crossing *crossing); /* NULL is legal */

/* A new attempt: forget the SYN, keep what comes. */
void meet_crossing_begin(struct meet_crossing *crossing);
bool meet_crossing_has_syn(const struct meet_crossing *crossing);

/* A held packet: the latest SYN is kept; after the release everything is replayed at once. */
void meet_crossing_take(struct meet_crossing *crossing, const struct nol_meet_frame *frame);
/* Our SYN is out: replay the peer's. */
void meet_crossing_release(struct meet_crossing *crossing);

#endif
