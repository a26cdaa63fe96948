/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* nolisten self --watch. */
#ifndef NOLISTEN_SELF_WARN_H
#define NOLISTEN_SELF_WARN_H

#include <stdbool.h>

/* A line on standard output for each socket that connects to itself, until SIGINT or SIGTERM. 0 or -errno, logged. */
int self_warn(bool is_everywhere);

#endif
