/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where the two programs of meet sit: on TCX, links that die with the process; on kernels without it (before 6.6) filters
 * on clsact, whose handle comes from the 4-tuple.
 */
#ifndef NOLISTEN_MEET_ATTACH_H
#define NOLISTEN_MEET_ATTACH_H

#include <stdbool.h>
#include <stdint.h>

#include "addr.h"

struct meet_programs {
	int in_fd, out_fd;
};

struct meet_attachment {
	int in_link_fd, out_link_fd; /* TCX; -1: none */
	uint32_t ifindex;
	uint32_t handle; /* of both filters on clsact; 0: none */
	bool has_made_clsact;
};

#define MEET_NOT_ATTACHED ((struct meet_attachment){.in_link_fd = -1, .out_link_fd = -1})

/* *out is MEET_NOT_ATTACHED before, and after a failure. */
int meet_attach(struct meet_attachment *out, uint32_t ifindex, const struct meet_programs *programs,
		const struct tuple *tuple);
void meet_detach(struct meet_attachment *attachment);

#endif
