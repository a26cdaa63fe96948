/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* From steps to sentences: what is told, in words, whatever the output looks like. */
#ifndef NOLISTEN_STORY_H
#define NOLISTEN_STORY_H

#include <stdbool.h>
#include <stdint.h>

#include "conversations.h"
#include "trace_names.h"

enum story_side {
	STORY_HERE, /* something that happened in this kernel */
	STORY_IN, /* a packet came */
	STORY_OUT, /* a packet went */
};

struct story_line {
	const struct conversation *conversation;
	const struct nol_step *step;
	enum story_side side;
	bool is_inferred; /* no tracepoint says so; it follows from one that does */
	const char *packet; /* STORY_IN, STORY_OUT: "SYN seq 1 win 64240" */
	const char *text; /* STORY_HERE: the sentence; else who sent it, or "" */
	const char *reason, *function; /* of a drop or a RST, or NULL */
};

struct story {
	struct trace_names *names;
	bool has_loader; /* what XDP and TC egress keep back is nolisten's doing */
	uint32_t told; /* conversations so far */
	void (*tell)(void *context, const struct story_line *line);
	void *context;
};

/* Tell the conversation's steps and forget them. */
void story_tell(struct story *story, struct conversation *conversation);

const char *story_state_name(uint8_t state); /* of the kernel's TCP states */
const char *story_flow_state_name(enum nol_flow_state state);

/* Microseconds since the conversation's first packet; negative in front of it. */
double story_us(const struct story_line *line);

#endif
