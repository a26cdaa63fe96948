/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * --vlan: the same job on VLAN devices, each in a process of its own. The kernel takes and sets the tags, so that no
 * method knows of them; and a tag that the network card has taken off already misleads nobody, since each device is
 * asked for its own addresses alone.
 *
 * A process hears of the parent through a socket and of nobody else: it says when it is open, begins when it is told, says
 * when it answers, and takes every further byte for the signal that the parent has got. The end of it is the parent's.
 */
#ifndef NOLISTEN_VLAN_LOADERS_H
#define NOLISTEN_VLAN_LOADERS_H

#include <stdbool.h>

#include "config.h"
#include "loop.h"
#include "ports.h"

struct vlan_loaders;

/* The job. 0 or -errno, logged. */
typedef int (*vlan_job_fn)(const struct config *config, int parent_fd);
/* Once: all of them answer (0), or one has ended before, and said why (-ECHILD). */
typedef void (*vlan_ready_fn)(void *context, int err);

/* For the job: a byte of its own, and one of the parent's. False: the parent is gone. */
bool vlan_parent_tell(int parent_fd);
bool vlan_parent_await(int parent_fd);

/*
 * Returns when all are open: nothing is attached yet. ids: VLAN IDs, for each of which config's interface has a device.
 * SIGINT, SIGTERM and SIGHUP are blocked from now on. -errno, logged: there is none of them.
 */
int vlan_loaders_new(struct vlan_loaders **out, const struct config *config,
		     const struct port_set *ids, vlan_job_fn job);
/*
 * They attach, behind the interface below them, or XDP will not have it. 0 or -errno, logged. NULL: there are none, here
 * and below, and fn is called at once.
 */
int vlan_loaders_begin(struct vlan_loaders *loaders, struct loop *loop, vlan_ready_fn fn,
		       void *context);
/* A signal has come, for them too. */
void vlan_loaders_tell(struct vlan_loaders *loaders);
/* SIGHUP has come, for them too. */
void vlan_loaders_reload(struct vlan_loaders *loaders);
/* The loop goes away. */
void vlan_loaders_unwatch(struct vlan_loaders *loaders);
/*
 * Until the last has ended, at once or when what they are told has been done; further signals are passed on.
 * 0, or -ECHILD: one of them has failed.
 */
int vlan_loaders_free(struct vlan_loaders *loaders, bool at_once);

#endif
