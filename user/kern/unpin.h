/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a loader with --pin has left, removed without one. */
#ifndef NOLISTEN_UNPIN_H
#define NOLISTEN_UNPIN_H

#include <stdint.h>

/*
 * Detaches and unpins what is left on the interface. No loader may be on it. -ENOENT: nothing is; -EBUSY: it is of a loader in
 * another network namespace; -ENOTSUP: no bpffs; -errno.
 */
int kern_unload(const char *ifname, uint32_t ifindex);

#endif
