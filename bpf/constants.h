/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The options that are constant once loaded. */
#ifndef NOLISTEN_BPF_CONSTANTS_H
#define NOLISTEN_BPF_CONSTANTS_H

#include "vmlinux.h"

const volatile bool nol_has_link_header = true;
const volatile bool nol_is_loopback = false;
const volatile bool nol_connects_back = false; /* method connect */
const volatile bool nol_accepts = false; /* method accept */
const volatile __u16 nol_mss_limit = 0; /* of what it sends (TCP_MAXSEG); 0: none */
const volatile bool nol_defers = false; /* and it waits for data (TCP_DEFER_ACCEPT) */
/* No application will ask for endpoints: half of what the verifier has to look at is not there. */
const volatile bool nol_lacks_endpoints = false;
const volatile __u32 nol_ring_quarter = 64 * 1024; /* of each ring, in bytes: see mirror.h */
const volatile __u32 nol_workers = 1; /* at most NOL_WORKERS_MAX */
const volatile __u32 nol_worker_seed = 0; /* nobody shall choose whose turn a flow is */

/* Tarpit: connections stay shut, see shut.h. */
const volatile bool nol_keeps_shut = false;

/* Leases of raw-socket programs are in nol_leases, and expire after that: their flows are not answered. 0: there are none. */
const volatile __u64 nol_lease_expiry_ns = 0;

const volatile bool nol_keeps = false; /* the programs outlive their loader (--pin) */

const volatile __u32 nol_netns =
	0; /* its inode number: of whose sockets the tracepoint is to tell */

#endif
