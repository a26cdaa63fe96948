/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The main job on one interface, from attach to summary. */
#ifndef NOLISTEN_LOADER_H
#define NOLISTEN_LOADER_H

#include "config.h"
#include "link_watch.h"

/* Returns when it is told to go (0), or cannot start or go on (-errno, logged in one line). */
int loader_run(const struct config *config);

/* Is it an interface that this is for? -errno, logged. */
int loader_find_link(const char *ifname, struct link_info *out);

#endif
