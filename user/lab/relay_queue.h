/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The packets that a relay has on its way, in the order in which they are due. Pure. */
#ifndef NOLISTEN_RELAY_QUEUE_H
#define NOLISTEN_RELAY_QUEUE_H

#include <sys/queue.h>

#include "relay_rules.h"

struct relay_packet {
	TAILQ_ENTRY(relay_packet) entry;
	uint64_t number; /* of all that came */
	uint64_t arrived_us, due_us;
	uint64_t waited_us; /* to be read, at most */
	enum relay_side side; /* who has sent it */
	enum relay_verdict verdict;
	struct relay_flow *flow; /* NULL: not TCP */
	size_t len;
	uint8_t frame[];
};

TAILQ_HEAD(relay_queue, relay_packet);

/* Its verdict is there. -ENOMEM. */
int relay_queue_take(struct relay_queue *queue, struct relay_packet *packet);

#endif
