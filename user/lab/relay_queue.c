/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "relay_queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void add(struct relay_queue *queue, struct relay_packet *packet)
{
	struct relay_packet *before = TAILQ_LAST(queue, relay_queue);

	while (before && before->due_us > packet->due_us)
		before = TAILQ_PREV(before, relay_queue, entry);
	if (before)
		TAILQ_INSERT_AFTER(queue, before, packet, entry);
	else
		TAILQ_INSERT_HEAD(queue, packet, entry);
}

static int add_copy(struct relay_queue *queue, const struct relay_packet *packet)
{
	struct relay_packet *copy = malloc(sizeof(*copy) + packet->len);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, packet, sizeof(*copy) + packet->len);
	add(queue, copy);
	return 0;
}

/* Behind packet, which one of the same sender has been waiting for. */
static void add_swapped(struct relay_queue *queue, const struct relay_packet *packet)
{
	struct relay_packet *swapped = packet->flow->swapped[packet->side];

	if (!swapped)
		return;
	packet->flow->swapped[packet->side] = NULL;
	swapped->due_us = packet->due_us;
	add(queue, swapped);
}

int relay_queue_take(struct relay_queue *queue, struct relay_packet *packet)
{
	struct relay_flow *flow = packet->flow;
	int err = 0;

	if (packet->verdict == RELAY_SWAP && !flow->swapped[packet->side]) {
		flow->swapped[packet->side] = packet;
		return 0;
	}
	add(queue, packet);
	if (!flow || packet->verdict == RELAY_DROP)
		return 0;
	if (packet->verdict == RELAY_DUP)
		err = add_copy(queue, packet);
	add_swapped(queue, packet);
	return err;
}
