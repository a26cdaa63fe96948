/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* An event in the names of Suricata's EVE, as doc/events.schema.json has them. Seen by events.c only. */
#ifndef NOLISTEN_EVE_H
#define NOLISTEN_EVE_H

#include "event_line.h"
#include "events.h"

/* What each line of a loader has. */
struct eve_origin {
	const char *ifname;
	uint16_t vlan_id; /* 0: none */
	uint16_t seed; /* of community IDs */
};

/* time: "2026-11-21T19:18:38.123456", UTC. */
void eve_build(struct event_line *line, const struct event *event, const struct eve_origin *origin,
	       const char *time);
/* The same for all events of a flow; below 2^53, so that every reader of JSON keeps it. */
uint64_t eve_flow_id(const struct tuple *tuple, uint64_t created_ns);

#endif
