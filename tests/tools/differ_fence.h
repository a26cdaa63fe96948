/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How to know that nothing more comes: a fence is a connection of its own to each side, opened after a step has been
 * sent, with a byte out and one back. Both servers take packets in their order, so what they have to say of that step
 * they have said when the fence is back, however busy the machine is.
 */
#ifndef NOLISTEN_TESTS_DIFFER_FENCE_H
#define NOLISTEN_TESTS_DIFFER_FENCE_H

#include "tools/differ_side.h"

#define FENCE_DEADLINE_MS 20000

struct fence {
	uint16_t first_port;
	unsigned int ports; /* there are so many, one after the other */
	unsigned int sent, back; /* fences so far */
	uint64_t sent_ms;
	struct conversation conversations[SIDES];
	bool is_back[SIDES];
};

static struct fence fence;

static bool fence_is_out(void)
{
	return fence.sent != fence.back;
}

static void fence_send(uint64_t now_ms)
{
	const uint16_t port = (uint16_t)(fence.first_port + fence.sent++ % fence.ports);

	fence.sent_ms = now_ms;
	for (int s = 0; s < SIDES; s++) {
		fence.conversations[s] = (struct conversation){.port = port};
		fence.is_back[s] = false;
		side_send(&sides[s], &fence.conversations[s], "S mss=1460");
	}
}

static void fence_take(int s, const struct wire_answer *answer)
{
	struct conversation *conversation = &fence.conversations[s];

	if (!fence_is_out() || fence.is_back[s] || answer->local_port != conversation->port)
		return;
	if (answer->flags == (WIRE_SYN | WIRE_ACK) && !conversation->state.iss) {
		conversation->state.iss = answer->seq;
		side_send(&sides[s], conversation, "P. +1 ^1 len=1");
	}
	if (!answer->payload_len)
		return;
	side_send(&sides[s], conversation, "R +2");
	fence.is_back[s] = true;
	if (fence.is_back[0] && fence.is_back[1])
		fence.back = fence.sent;
}

/* Without an answer there is nothing to compare. */
static void fence_watch(uint64_t now_ms)
{
	if (!fence_is_out() || now_ms - fence.sent_ms < FENCE_DEADLINE_MS)
		return;
	errno = ETIMEDOUT;
	fail(sides[fence.is_back[0]].name);
}

#endif
