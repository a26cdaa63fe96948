/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Method engine: XDP holds, the ring buffer delivers, a raw socket answers, a packet socket replays. */
#ifndef NOLISTEN_METHOD_ENGINE_H
#define NOLISTEN_METHOD_ENGINE_H

#include "kern.h"
#include "packet_io.h"
#include "replay.h"

/*
 * kern is borrowed. worker: whose ring is read, in the thread that calls receive, send, flush, replay, set_mtu and
 * set_spinning; the rest is anybody's. Worker 0, the first to be made, chooses options->tag and tells the programs.
 * kind: NOL_METHOD_ENGINE, or NOL_METHOD_CONNECT, where a kernel socket answers and the rest is the same.
 */
int method_engine_new(struct packet_io **out, struct kern *kern, enum nol_method kind,
		      uint32_t worker, const struct replay_options *options);
#endif
