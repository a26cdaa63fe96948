/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The lease guards of this network namespace, whichever processes they are in, as their maps tell: nobody has to
 * answer for that.
 */
#ifndef NOLISTEN_LEASE_LIST_H
#define NOLISTEN_LEASE_LIST_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

#include <abi/guard.h>

struct lease_view {
	struct nol_guard guard;
	struct nol_guard_stats stats;
	bool is_alive; /* false: the process stands still, or was killed and left filters on clsact */
	int leases_fd; /* for lease_each(); closed behind the call */
};

/* fn for each on the interface, 0: on any. 0 or -errno. */
int lease_list(uint32_t ifindex, void (*fn)(void *context, const struct lease_view *view),
	       void *context);

typedef void (*lease_fn)(void *context, const struct nol_flow_key *key,
			 const struct nol_lease *lease);

/* Leases that have expired are among them. 0 or -errno. */
int lease_each(int leases_fd, lease_fn fn, void *context);

/* CLOCK_MONOTONIC of its last segment. */
uint64_t lease_last_ns(const struct nol_lease *lease);

/* The counters of all processors together. 0 or -errno. */
int lease_stats_read(int stats_fd, struct nol_guard_stats *out);

/* Is the guard whose program this is alive? */
bool lease_is_alive(uint32_t program_id);

#endif
