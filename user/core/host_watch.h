/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the engine and the cookies advertise, from the host's sysctls, its routes and the interface's MTU; and changes of these. */
#ifndef NOLISTEN_HOST_WATCH_H
#define NOLISTEN_HOST_WATCH_H

#include <stdint.h>

#include "engine.h"
#include "link_watch.h"
#include "routes.h"

struct host_watch;

/* It has changed. old: what settings->routes was; both are there until the function returns. */
typedef void (*host_fn)(void *context, const struct engine_settings *settings,
			const struct routes *old);

/* Looks at once, without a call of fn. Errors are logged. link: as it is now. */
int host_watch_new(struct host_watch **out, const char *ifname, const struct link_info *link,
		   const struct advertise_limits *limits, host_fn fn, void *context);
void host_watch_free(struct host_watch *watch);

const struct engine_settings *host_watch_settings(const struct host_watch *watch);

/* Look again: once a second, and with a new MTU. */
void host_watch_beat(struct host_watch *watch);
void host_watch_set_mtu(struct host_watch *watch, uint32_t mtu);

#endif
