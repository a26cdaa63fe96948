/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What kern_attach() and kern_pin() would come to, found out without attaching or pinning. */
#ifndef NOLISTEN_PLAN_H
#define NOLISTEN_PLAN_H

#include <stdbool.h>

#include "kern.h"

#define KERN_PLAN_PATH_SIZE 64

enum kern_pins {
	KERN_PINS_NEW,
	KERN_PINS_STALE, /* what a killed loader has left: replaced */
	KERN_PINS_OWNED, /* the heartbeat goes on: a loader of another network namespace, or one killed just now. Not pinned */
	KERN_PINS_NO_PLACE, /* no bpffs */
};

struct kern_plan {
	const char *xdp, *why; /* as kern_xdp_mode_text(), and why so */
	const char *tc; /* as kern_tc_mode_text() */
	bool lacks_native; /* and was asked for it */
	bool has_leftover; /* the filter of a killed loader, that is removed */
	enum kern_pins pins;
	bool takes_over; /* from a loader with --pin */
	char folder[KERN_PLAN_PATH_SIZE];
};

/* *out is filled as far as it is known in any case. -errno, logged: kern_attach() would fail with the same line. */
int kern_plan(const struct kern *kern, struct kern_plan *out);

#endif
