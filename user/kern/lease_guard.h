/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The guard of raw-socket programs on one interface: loads lease.bpf.c, which says what it does. It is gone with
 * lease_guard_free(), and when the process ends, however it ends (on clsact: it fails open, and the next guard on the interface
 * removes it).
 */
#ifndef NOLISTEN_LEASE_GUARD_H
#define NOLISTEN_LEASE_GUARD_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <abi/guard.h>

#include "addr.h"
#include "load_failure.h"
#include "pair_attach.h"
#include "ports.h"

#define LEASE_GUARD_BEAT_MS 1000

struct lease_guard;

struct lease_guard_options {
	const char *ifname;
	uint32_t ifindex;
	bool has_link_header;
	enum nol_guard_mode mode;
	const struct port_set *ports; /* NOL_GUARD_PORTS */
	const struct prefix *remotes; /* of flows that are guarded; none: all */
	size_t remote_count;
	uint32_t expiry_s; /* at least 1 */
	uint32_t max_leases; /* at least 1 */
	bool guards_nat; /* flows that conntrack translates for somebody else as well */
	enum nol_guard_raw raw;
	enum nol_rst_action rst_action;
	uint32_t redirect_ifindex;
	int leases_fd; /* use this table, of max_leases; 0 or less: one of its own */
	const char *name; /* whom it is for; cut if it does not fit */
	enum pair_mode attach;
};

/* Loaded, not attached. Errors are logged. */
int lease_guard_new(struct lease_guard **out, const struct lease_guard_options *options);
/* From here on it guards. Errors are logged. */
int lease_guard_attach(struct lease_guard *guard);
/* Would it load? Nothing is attached, nothing logged. */
int lease_guard_probe(struct load_failure *failure);
void lease_guard_free(struct lease_guard *guard); /* NULL is legal */

/* To be called every LEASE_GUARD_BEAT_MS, or it guards nothing any more; removes leases that have expired. */
void lease_guard_beat(struct lease_guard *guard);
/* Does some socket wait for TCP behind TC ingress? See NOL_RAW_AUTO. */
void lease_guard_set_raw_sockets(struct lease_guard *guard, bool are_there);

int lease_guard_stats(const struct lease_guard *guard, struct nol_guard_stats *out);
/* How many leases had to make room for others. */
uint64_t lease_guard_evicted(const struct lease_guard *guard);

const char *lease_guard_attach_text(const struct lease_guard *guard); /* "tcx", "clsact" */

#endif
