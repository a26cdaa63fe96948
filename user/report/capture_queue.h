/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copies of packets on their way from those who have them to the one who writes them: bounded, and nobody waits for the other. */
#ifndef NOLISTEN_CAPTURE_QUEUE_H
#define NOLISTEN_CAPTURE_QUEUE_H

#include <stddef.h>
#include <stdint.h>

#include "capture.h"

struct capture_queue;

int capture_queue_new(struct capture_queue **out, size_t size);
void capture_queue_free(struct capture_queue *queue); /* NULL is legal */

/* Of any thread. snap_len and what is_l3 says have been made to fit the file. False: no room. *is_half: it just became half full. */
bool capture_queue_add(struct capture_queue *queue, const struct captured *packet, bool *is_half);
/* Of one thread. */
bool capture_queue_has_room(struct capture_queue *queue); /* is it less than half full? */
typedef void (*capture_queue_fn)(void *context, const struct captured *packet);
/* fn for each packet in the order of their times. What is later than until_ns stays, as an earlier one may still come. */
void capture_queue_take(struct capture_queue *queue, uint64_t until_ns, capture_queue_fn fn,
			void *context);

#endif
