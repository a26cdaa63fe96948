/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* --guard: what nolisten guard does, inside a loader. */
#ifndef NOLISTEN_GUARDING_H
#define NOLISTEN_GUARDING_H

#include "config.h"
#include "lease_guard.h"
#include "link_watch.h"

#define GUARDING_EXPIRY_S 120 /* of a lease */

/* Of the table that the loader's programs share; 0: they do not look there. */
uint32_t guarding_leases(const struct config *config);

/* *out stays NULL if none was asked for; kern: NULL without BPF. Errors are logged. */
int guarding_open(struct lease_guard **out, const struct config *config,
		  const struct link_info *link, const struct kern *kern);
/* NULL is legal for these. */
int guarding_begin(struct lease_guard *guard);
void guarding_beat(struct lease_guard *guard);
void guarding_end(struct lease_guard **guard);

#endif
