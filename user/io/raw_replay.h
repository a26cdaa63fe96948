/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Replay without BPF: a raw IP packet from the remote's address to a local one is routed through lo, and keeps
 * the route that it left with when it comes in again there, so that it is delivered without a look at its source.
 */
#ifndef NOLISTEN_RAW_REPLAY_H
#define NOLISTEN_RAW_REPLAY_H

#include <stdint.h>

#include "wire.h"

struct raw_replay;

/* scope_id: the interface of link-local addresses. The packets carry NOL_MARK_REPLAY. */
int raw_replay_new(struct raw_replay **out, uint32_t scope_id, uint32_t mtu);
void raw_replay_free(struct raw_replay *replay);
void raw_replay_set_mtu(struct raw_replay *replay, uint32_t mtu);

/* Cut at the MTU, checksums computed anew; all of it was delivered when this returns. -errno of what could not be sent. */
int raw_replay_packet(struct raw_replay *replay, const struct held_packet *packet);

#endif
