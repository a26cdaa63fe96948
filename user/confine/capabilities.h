/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a process may do beyond its user, of capabilities(7). */
#ifndef NOLISTEN_CAPABILITIES_H
#define NOLISTEN_CAPABILITIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A set: the bit 1 << CAP_NET_RAW and so on. */
typedef uint64_t capability_set;

/* Those that the calling thread is permitted. */
capability_set capabilities_permitted(void);
/* The bounding set of the calling thread, as far as it is allowed to: what exec can never bring back. */
void capabilities_bound(capability_set kept);
/*
 * The calling thread has those in effect of kept that it is permitted, and no other one any more. for_programs: the
 * programs that it runs have them too. 0, or -errno.
 */
int capabilities_keep(capability_set kept, bool for_programs);

#endif
