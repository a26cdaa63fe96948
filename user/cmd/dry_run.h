/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* --dry-run: what would it do, and what is in its way? */
#ifndef NOLISTEN_DRY_RUN_H
#define NOLISTEN_DRY_RUN_H

#include "loader_options.h"

/*
 * Goes the loader's own way up to where the host would be touched, and tells on standard output: lines, or JSON. 0: it would
 * run; -errno: it would not, logged as the loader would.
 */
int dry_run(const struct loader_options *options);

#endif
