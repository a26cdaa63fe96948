/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Our segments leave through raw IP sockets: routing, neighbours and the netfilter OUTPUT hook see them, the guard
 * knows them by their mark. Queued and sent with one sendmmsg() a batch.
 */
#ifndef NOLISTEN_RAW_SEND_H
#define NOLISTEN_RAW_SEND_H

#include <stdint.h>

#include "segment.h"

struct raw_send;

/* scope_id: the interface of link-local addresses. mark: SO_MARK of all that is sent. */
int raw_send_new(struct raw_send **out, uint32_t scope_id, uint32_t mark);
/* Whatever the routes say, it goes out by this interface. -errno. */
int raw_send_bind(struct raw_send *sender, uint32_t ifindex);
void raw_send_free(struct raw_send *sender);

/* Queue; flushes by itself when the batch is full. */
int raw_send_queue(struct raw_send *sender, const struct segment *segment);
/* 0, or -errno of the last segment that could not leave; the others did. */
int raw_send_flush(struct raw_send *sender);
/* How many segments could not leave so far. */
uint64_t raw_send_failures(const struct raw_send *sender);

#endif
