/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The conversations that explain knows: which step belongs to which, and since when. */
#ifndef NOLISTEN_CONVERSATIONS_H
#define NOLISTEN_CONVERSATIONS_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <abi/trace.h>

#define CONVERSATION_STEPS_MAX 96

struct conversation {
	struct nol_flow_key key;
	uint32_t id; /* from 1 on, given when it is first told; 0: not told */
	uint64_t first_packet_ns; /* CLOCK_MONOTONIC; 0: no packet yet, so nothing is told */
	uint64_t last_ns;
	uint64_t last_skb; /* of what came in */
	uint64_t sk; /* its socket in this kernel, which loses its port before its last steps */
	struct nol_step steps[CONVERSATION_STEPS_MAX]; /* not yet told */
	size_t count;
	bool is_ended; /* by a RST, or its socket is closed */
	bool is_past; /* its addresses and ports have begun another one */
	uint32_t overflow; /* steps that had no room */
	enum nol_flow_state flow_state; /* what the story has reached */
	uint32_t left_out; /* what the story has told of nol_step.left_out */
	bool has_syn_ack; /* a SYN-ACK of ours was seen */
	bool has_syn; /* its socket has sent a SYN */
	bool is_turned; /* that SYN left as a SYN-ACK, so it waits for one */
	bool has_kernel_reset; /* told that the kernel sends one; its packet is still to come */
};

struct conversation_table;

int conversation_table_new(struct conversation_table **out);
void conversation_table_free(struct conversation_table *table); /* NULL is legal */

/* Puts the step where it belongs. NULL: it belongs to nothing that is known, or not yet. */
struct conversation *conversation_add(struct conversation_table *table,
				      const struct nol_step *step);

/* Is there a socket of any conversation that is not gone yet? */
bool conversation_has_socket(const struct conversation_table *table);

/* fn for every conversation that has untold steps and a packet, oldest first. */
typedef void (*conversation_fn)(void *context, struct conversation *conversation);
void conversation_visit(struct conversation_table *table, conversation_fn fn, void *context);

#endif
