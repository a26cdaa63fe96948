/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A queue of nfnetlink_queue: packets in, a verdict for each. Closing it, or dying, lets the rules pass it by. */
#ifndef NOLISTEN_QUEUE_H
#define NOLISTEN_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

struct queue;

/* true: it goes on into the stack (NF_ACCEPT); false: it ends here (NF_DROP). ip: our copy, valid during the call. */
typedef bool (*queue_fn)(void *context, uint8_t *ip, uint32_t len, bool is_whole);

/* The first free number from first on. Errors are logged. */
int queue_new(struct queue **out, uint16_t first);
void queue_free(struct queue *queue);
uint16_t queue_number(const struct queue *queue);
int queue_fd(const struct queue *queue);

/* Up to max packets, without waiting; their number or -errno. */
int queue_receive(struct queue *queue, uint32_t max, queue_fn fn, void *context);
/* Packets that the kernel had to drop: the queue, or its socket, was full. */
uint64_t queue_lost(const struct queue *queue);

#endif
