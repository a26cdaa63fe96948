/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Two singly linked lists. */
#include "pending.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void pending_list_init(struct pending_list *list)
{
	list->first = NULL;
	list->last = &list->first;
}

struct pending *pending_add(struct pending_list *list, struct engine_flow *flow)
{
	struct pending *pending = calloc(1, sizeof(*pending));

	if (!pending)
		return NULL;
	pending->flow = flow;
	pending->fd = -1;
	pending->last = &pending->first;
	flow->owner = pending;
	*list->last = pending;
	list->last = &pending->next;
	return pending;
}

int pending_store(struct pending *pending, const struct held_packet *packet)
{
	struct stored_packet *stored = malloc(sizeof(*stored) + packet->frame_len);

	if (!stored)
		return -ENOMEM;
	stored->next = NULL;
	stored->packet = *packet;
	stored->packet.frame = (const uint8_t *)(stored + 1);
	memcpy(stored + 1, packet->frame, packet->frame_len);
	*pending->last = stored;
	pending->last = &stored->next;
	return 0;
}

struct stored_packet *pending_take(struct pending *pending)
{
	struct stored_packet *stored = pending->first;

	if (!stored)
		return NULL;
	pending->first = stored->next;
	if (!pending->first)
		pending->last = &pending->first;
	return stored;
}

void pending_free(struct pending *pending)
{
	struct stored_packet *stored;

	while ((stored = pending_take(pending)))
		free(stored);
	free(pending);
}
