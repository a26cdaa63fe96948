/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * --vlan: the same job on VLAN devices, each in a process of its own. The kernel takes and sets the tags, so that no
 * method knows of them; and a tag that the network card has taken off already misleads nobody, since each device is
 * asked for its own addresses alone.
 */
#ifndef NOLISTEN_VLAN_LOADERS_H
#define NOLISTEN_VLAN_LOADERS_H

#include "config.h"
#include "ports.h"

struct vlan_loaders;

/* The job: it writes a byte to ready_fd when it answers. 0 or -errno, logged. */
typedef int (*vlan_job_fn)(const struct config *config, int ready_fd);

/*
 * The processes, which wait. ids: VLAN IDs, for each of which config's interface has a device. SIGINT and SIGTERM are
 * blocked from now on. -errno, logged: there is none of them.
 */
int vlan_loaders_new(struct vlan_loaders **out, const struct config *config,
		     const struct port_set *ids, vlan_job_fn job);
/*
 * They begin, behind the interface below them, or XDP will not have it: returns when all of them answer, or -ECHILD. One
 * of them has failed then, and said why. NULL: there are none, here and below.
 */
int vlan_loaders_begin(struct vlan_loaders *loaders);
/* A signal has come, for them too. */
void vlan_loaders_tell(const struct vlan_loaders *loaders);
/* Whatever they do, it is to end now. */
void vlan_loaders_stop(const struct vlan_loaders *loaders);
/* Until the last has ended; further signals are passed on. 0, or -ECHILD: one of them has failed. */
int vlan_loaders_free(struct vlan_loaders *loaders);

#endif
