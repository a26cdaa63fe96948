/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The configuration file read again while the loader runs. */
#ifndef NOLISTEN_RELOAD_H
#define NOLISTEN_RELOAD_H

#include "core.h"
#include "loader_options.h"

/*
 * What may change without a restart changes, what else has changed is told. The other options stay those that it has been
 * started with. 0; or -errno, logged, and why in text: nothing has changed.
 */
int reload(struct core *core, const struct loader_options *started, char text[OPTION_ERROR_SIZE]);

#endif
