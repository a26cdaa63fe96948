/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a loader is and does at one moment, and how that reads as JSON. */
#ifndef NOLISTEN_SNAPSHOT_H
#define NOLISTEN_SNAPSHOT_H

#include <linux/types.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include <abi/abi.h>

#include "addr.h"
#include "capture.h"
#include "counters.h"
#include "ports.h"

/* Pointers are borrowed, and good until the next event of the loop. */
struct snapshot {
	const char *ifname;
	uint64_t up_ns;
	enum nol_method method; /* NOL_METHOD_NONE: auto */
	const char *xdp, *tc; /* how the programs are attached; "none" */
	const char *service;
	const struct port_set *ports;
	const struct prefix *prefixes; /* answered */
	size_t prefix_count;
	struct endpoint parents[NOL_WORKERS_MAX]; /* where method accept listens */
	size_t parent_count;
	uint32_t cookie_keys
		[NOL_COOKIE_SETS]; /* of --cookie-key: which they are, the one that makes cookies first */
	size_t cookie_key_count;
	uint8_t source_bits_v4, source_bits_v6; /* of --source-prefix */
	uint64_t flows, events_lost, events_limited;
	struct capture_stats capture;
	struct nol_stats packets;
	struct nol_stats rates; /* of the last second, per second */
	struct worker_counts sum; /* of all workers; session.closed as well */
	struct worker_counts workers[NOL_WORKERS_MAX];
	uint32_t worker_count;
};

const char *snapshot_state_text(enum nol_flow_state state); /* "handed_off" */
/* An object each; NULL: no memory. */
json_t *snapshot_to_json(const struct snapshot *snapshot);
json_t *snapshot_flow_to_json(const struct tuple *tuple, const struct nol_flow *flow,
			      uint64_t now_ns);
/* Its parts: each counter under its name. */
json_t *snapshot_packets_to_json(const struct nol_stats *stats);
json_t *snapshot_session_to_json(const struct session_stats *stats);
json_t *snapshot_passing_to_json(const struct passing_stats *stats);
json_t *snapshot_service_to_json(const struct service_stats *stats);

#endif
