/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The flow table of the methods without BPF: what nol_flows is to the others, in our own memory. */
#ifndef NOLISTEN_FLOW_MEMORY_H
#define NOLISTEN_FLOW_MEMORY_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

#include <abi/abi.h>

#include "flows.h"

struct flow_memory;

/* nol_flow as nol_flows has it, and what a tap wants to know of a flow. */
struct flow_entry {
	struct nol_flow flow;
	/* At the tap, when the kernel socket was made, later when it was known to be gone; 0 before. */
	uint64_t arrived;
	uint8_t seen; /* TCP_FIN, TCP_RST: what came from the remote that may end it */
	uint64_t
		owned_until_ns; /* till then the socket that was there when somebody asked is not asked for again */
	bool is_outlived; /* by its remote: the kernel socket is gone, though no word of that has come */
	uint64_t rst_ns; /* when the kernel's first RST left, CLOCK_REALTIME; 0: none was seen */
};

int flow_memory_new(struct flow_memory **out, uint32_t max_flows);
void flow_memory_free(struct flow_memory *memory);

/* A zeroed entry, or NULL: the table is full (E2BIG) or there is no memory. The tuple must not be there. */
struct flow_entry *flow_memory_add(struct flow_memory *memory, const struct tuple *tuple);
/* NULL: there is none. Valid until it is removed. */
struct flow_entry *flow_memory_find(struct flow_memory *memory, const struct tuple *tuple);
void flow_memory_remove(struct flow_memory *memory, const struct tuple *tuple);
/* fn for every flow until it returns false, which may change but not remove it. Their number. */
int flow_memory_visit(struct flow_memory *memory, flow_fn fn, void *context);

#endif
