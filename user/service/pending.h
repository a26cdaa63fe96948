/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Connections between their final ACK and their kernel socket: each with the packets that were held meanwhile, in
 * order. Usually the list holds one entry for ten microseconds.
 */
#ifndef NOLISTEN_PENDING_H
#define NOLISTEN_PENDING_H

#include <stdbool.h>
#include <stdint.h>

#include "engine.h"
#include "packet_io.h"

struct stored_packet {
	struct stored_packet *next;
	struct held_packet packet; /* its frame is behind this struct */
};

struct pending {
	struct pending *next;
	struct engine_flow *flow;
	int fd; /* the kernel socket; -1 until it exists */
	bool has_reply; /* the final ACK of an active open: leaves after the hand-off */
	struct segment reply;
	struct stored_packet *first, **last;
};

struct pending_list {
	struct pending *first, **last;
};

void pending_list_init(struct pending_list *list);
/* NULL: no memory. The flow's owner becomes the entry. */
struct pending *pending_add(struct pending_list *list, struct engine_flow *flow);
/* Keep a copy of the packet. */
int pending_store(struct pending *pending, const struct held_packet *packet);
/* Take the oldest packet out, for the caller to free; NULL: none. */
struct stored_packet *pending_take(struct pending *pending);
/* Frees the entry and its packets; the descriptor is the caller's. The list's links are the caller's too. */
void pending_free(struct pending *pending);

#endif
