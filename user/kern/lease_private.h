/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* For tests that run single programs of the lease guard. */
#ifndef NOLISTEN_LEASE_PRIVATE_H
#define NOLISTEN_LEASE_PRIVATE_H

#include <linux/types.h>

#include <abi/guard.h> /* the skeleton has types of it */

#include <lease.skel.h>

#include "lease_guard.h"

struct lease_guard {
	struct lease_guard_options options;
	struct lease_bpf *skel;
	struct nol_guard *page; /* nol_guard */
	struct pair_attachment attachment;
	uint64_t turned_ns, swept_ns;
};

#endif
