/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The guard without BPF: rules of nftables in a table that belongs to this process, and goes with it however it ends. Segments go on
 * to raw IP sockets and to TCP, and TCP's RST for what no kernel socket owns is stopped in the output hook.
 */
#ifndef NOLISTEN_FILTER_GUARD_H
#define NOLISTEN_FILTER_GUARD_H

#include "lease_guard.h"

struct filter_guard;

/*
 * Of the options: ifname, ifindex, mode, ports, remotes, expiry_s, max_leases. The rules are there when it returns. Errors are logged.
 */
int filter_guard_new(struct filter_guard **out, const struct lease_guard_options *options);
void filter_guard_free(struct filter_guard *guard); /* NULL is legal */

/* Readable when something was sent that may lease; -1: nothing leases, ports are guarded. */
int filter_guard_fd(const struct filter_guard *guard);
/* Lease what was sent. 0 or -errno. */
int filter_guard_take(struct filter_guard *guard);

struct filter_guard_stats {
	uint64_t leased, rst_dropped;
	uint64_t refused; /* leases that had no room */
};

void filter_guard_stats(struct filter_guard *guard, struct filter_guard_stats *out);

#endif
