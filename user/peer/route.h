/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the routes say: which interface leads from a local to a remote address, and is it one host's? */
#ifndef NOLISTEN_ROUTE_H
#define NOLISTEN_ROUTE_H

#include <stdbool.h>
#include <stdint.h>

#include "addr.h"
#include "host.h"

/* The kernel's answer (RTM_GETROUTE); -ENETUNREACH and the like if there is no route. */
int route_find(const struct addr *local, const struct addr *remote, uint32_t *ifindex);

/* The same with its metrics. via: the interface that it has to lead by, or 0. */
int route_find_metrics(const struct addr *local, const struct addr *remote, uint32_t via,
		       uint32_t *ifindex, struct route_metrics *metrics);

/* Of a subnet of this host; bind() takes it, connect() says that the network is unreachable. */
bool route_is_broadcast(const struct addr *addr);

#endif
