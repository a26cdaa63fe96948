/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Service socket: connections are passed to applications. Which there are, the loader's main thread says; each worker's service
 * has a list and a queue of its own. In the service's thread only.
 */
#ifndef NOLISTEN_PASSING_H
#define NOLISTEN_PASSING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "passing_stats.h"
#include "ports.h"
#include "service.h"
#include "socket_spec.h"

/* What an application has asked for. */
struct passing_claim {
	uint32_t number; /* the application's, unique among those that are here or away */
	const struct port_set *ports;
	const struct prefix *prefixes; /* none: any address */
	size_t prefix_count;
};

/* Is it a service whose connections are passed on? */
bool service_passes(const struct service *service);

/*
 * An application is here. It gets what waits for one that is away, if it has asked for that. *fd: its end of the pair on which
 * its connections come, which stays the service's. -errno.
 */
int passing_join(struct service *service, const struct passing_claim *claim, int *fd);
/* It is gone without a word: what it had not taken waits for another, and so does what still comes. */
void passing_leave(struct service *service, uint32_t number);
/* It will not come back: what waits for it is given up. One that is not known is legal. */
void passing_forget(struct service *service, uint32_t number);

void passing_read(const struct service *service, struct passing_stats *out);

#endif
