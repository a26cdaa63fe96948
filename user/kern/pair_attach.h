/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where two programs sit, one for each direction of an interface: on TCX, links that die with the process; on kernels
 * without it (before 6.6) filters on clsact, which outlive a process that was killed, and are known by their handle.
 */
#ifndef NOLISTEN_PAIR_ATTACH_H
#define NOLISTEN_PAIR_ATTACH_H

#include <stdbool.h>
#include <stdint.h>

struct pair_programs {
	int in_fd, out_fd;
};

struct pair_attachment {
	int in_link_fd, out_link_fd; /* TCX; -1: none */
	uint32_t ifindex;
	uint32_t handle; /* of both filters on clsact; 0: none */
	bool owns_clsact; /* the qdisc goes as well, once nothing else is on it */
};

#define PAIR_NOT_ATTACHED ((struct pair_attachment){.in_link_fd = -1, .out_link_fd = -1})

/* A bit of the handle by which a filter remembers that the qdisc is of nolisten's making. */
#define PAIR_OWN 0x80000000u

enum pair_mode {
	PAIR_AUTO,
	PAIR_CLSACT, /* for tests */
};

/*
 * Who looks for a place on clsact and takes it, or leaves it, does so while nobody else in this network namespace does. A descriptor, to be closed;
 * -1: it could not be had, and one goes on without.
 */
int pair_lock(void);

/*
 * handle: without PAIR_OWN; what has it is what a killed process left behind, and goes. owns_clsact: so does the qdisc in the
 * end, whoever has made it. *out is PAIR_NOT_ATTACHED before, and after a failure.
 */
int pair_attach(struct pair_attachment *out, uint32_t ifindex, const struct pair_programs *programs,
		uint32_t handle, bool owns_clsact, enum pair_mode mode);
void pair_detach(struct pair_attachment *attachment);

/* The egress program with this handle on clsact, and whether it has PAIR_OWN; 0: there is none. */
uint32_t pair_find(uint32_t ifindex, uint32_t handle, bool *is_own);
/* Remove both filters with this handle. True: there were any, and they had PAIR_OWN. */
bool pair_remove(uint32_t ifindex, uint32_t handle);

#endif
