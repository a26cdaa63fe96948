/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The main job: a core, the signals, and what people read at its start and end. */
#ifndef NOLISTEN_LOADER_H
#define NOLISTEN_LOADER_H

#include "config.h"
#include "ports.h"

/*
 * Returns when it is told to go (0), or cannot start or go on (-errno, logged in one line). vlans: the IDs of those whose
 * devices on top of the interface are to be answered as well; if one of them fails later, the others go on.
 */
int loader_run(const struct config *config, const struct port_set *vlans);

#endif
