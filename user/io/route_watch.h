/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The routes of the tables local, main and default, and word of their changes. Without metrics that a SYN-ACK shows none
 * is kept, and what happens to such routes is no news.
 */
#ifndef NOLISTEN_ROUTE_WATCH_H
#define NOLISTEN_ROUTE_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host.h"

struct route_watch;

struct route_list {
	struct host_route *all; /* to be freed */
	size_t count; /* 0: no route has metrics */
	bool has_rules; /* policy routing: there are rules beside those that every host has */
};

/* ifindex: scoped routes of other interfaces are left out. */
int route_watch_new(struct route_watch **out, uint32_t ifindex);
void route_watch_free(struct route_watch *watch);

/* Never waits. True, until the next list: it may not be true any more, or there was none yet. */
bool route_watch_is_stale(struct route_watch *watch);
int route_watch_list(struct route_watch *watch, struct route_list *out);

#endif
