/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Who waits for something, all for equally long: one timer for all of them, and that only while somebody waits. */
#ifndef NOLISTEN_PATIENCE_H
#define NOLISTEN_PATIENCE_H

#include <stdint.h>

#include "loop.h"

struct waiter;
typedef void (*waiter_fn)(struct waiter *waiter);

struct patience {
	struct loop *loop;
	uint64_t limit_ns;
	waiter_fn over; /* it waits no more; it may begin anew, and may be freed */
	struct waiter *first, *last; /* in the order in which they began */
	struct loop_source *timer; /* NULL: nobody waits */
};

/* Part of what waits; zeroed at first. */
struct waiter {
	struct patience *patience; /* NULL: it does not wait */
	struct waiter *earlier, *later;
	uint64_t until_ns; /* CLOCK_MONOTONIC */
};

void patience_init(struct patience *patience, struct loop *loop, uint64_t limit_ns, waiter_fn over);
/* Nobody is told. */
void patience_end(struct patience *patience);

/* From now on; -errno: there is no timer. */
int patience_begin(struct patience *patience, struct waiter *waiter);
/* One that does not wait is legal. */
void patience_stop(struct waiter *waiter);

#endif
