/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The guards there are, and their leases. */
#ifndef NOLISTEN_GUARD_LIST_H
#define NOLISTEN_GUARD_LIST_H

#include <stdbool.h>

/* ifname: NULL for all of this network namespace. On standard output. 0 or -errno, logged. */
int guard_list(const char *ifname, bool is_json);

#endif
