/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The main job: a core, the signals, and what people read at its start and end. */
#ifndef NOLISTEN_LOADER_H
#define NOLISTEN_LOADER_H

#include "loader_options.h"

/*
 * Returns when it is told to go (0), or cannot start or go on (-errno, logged in one line). With VLANs their devices on top
 * of the interface are answered as well; if one of them fails later, the others go on.
 */
int loader_run(const struct loader_options *options);

#endif
