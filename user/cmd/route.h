/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which interface leads from a local to a remote address? */
#ifndef NOLISTEN_ROUTE_H
#define NOLISTEN_ROUTE_H

#include <stdint.h>

#include "addr.h"

/* The kernel's answer (RTM_GETROUTE); -ENETUNREACH and the like if there is no route. */
int route_find(const struct addr *local, const struct addr *remote, uint32_t *ifindex);

#endif
