/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* --check: can this host run it? */
#ifndef NOLISTEN_CHECK_H
#define NOLISTEN_CHECK_H

#include "loader_options.h"

/*
 * Tries every feature and loads every object, and tells on standard output: a line each, or JSON. 0; -ENOTSUP: something
 * is missing that the options require; -errno, logged.
 */
int check_run(const struct loader_options *options);

#endif
