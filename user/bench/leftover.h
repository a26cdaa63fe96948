/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How much of a CPU is used, to the microsecond: a process of the lowest priority (SCHED_IDLE) looks at the clock all the time,
 * and what it does not get to see was somebody else's: processes, system calls, interrupts and softirqs alike, which the
 * kernel's own accounting by ticks of some milliseconds does not tell apart.
 */
#ifndef NOLISTEN_LEFTOVER_H
#define NOLISTEN_LEFTOVER_H

#include <stdint.h>

/* Shared memory, all zero before it starts. */
struct leftover {
	uint64_t look_ns; /* what a look at the clock takes */
	uint64_t now_ns; /* of the last look; 0: it has not begun */
	uint64_t taken_ns; /* that others had, up to then */
};

/* Of the CPU that the process is pinned to, until it is killed. A job_fn: result is the struct. */
int leftover_run(const void *argument, void *result);

struct leftover_mark {
	uint64_t at_ns, taken_ns;
};

/* Waits until it has looked once more, so that nothing is under way. -ETIMEDOUT: others have the CPU for themselves. */
int leftover_mark(const struct leftover *leftover, struct leftover_mark *out);

/* Pure: the next look at the clock. */
void leftover_look(struct leftover *leftover, uint64_t now_ns);
/* Pure: what others had between two marks, of all. */
double leftover_share(const struct leftover_mark marks[2]);
/* Pure: ns that others had between two marks, more than they had, in proportion, between two others. */
double leftover_more_ns(const struct leftover_mark marks[2], const struct leftover_mark idle[2]);

#endif
