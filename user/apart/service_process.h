/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The process that has a service which talks to strangers. It is made first of all, when there is nothing that it could inherit, and has
 * no privilege, no descriptor but its pairs and the standard ones, and no way to get any.
 */
#ifndef NOLISTEN_SERVICE_PROCESS_H
#define NOLISTEN_SERVICE_PROCESS_H

#include <stdint.h>

#include "loop.h"
#include "run_as.h"
#include "service.h"

#define SERVICE_PROCESS_PAIRS_MAX 64

struct service_process;

struct service_process_options {
	const char *spec; /* service_is_apart() */
	const struct service_options *service; /* its callbacks are not called */
	uint32_t pairs; /* one for each worker */
	struct run_as user;
};

/* It is ready to take connections. -errno, logged. */
int service_process_new(struct service_process **out,
			const struct service_process_options *options);
/* The loader's ends, as many as pairs; borrowed. */
const int *service_process_fds(const struct service_process *process);
/* fn, once, when nobody has the service any more. signal: that the keeper has died of; NULL: it has said itself why it ends. */
typedef void (*service_process_fn)(void *context, const char *signal);
int service_process_watch(struct service_process *process, struct loop *loop, service_process_fn fn,
			  void *context);
/* Its end is waited for, for two seconds at most. NULL is legal. */
void service_process_free(struct service_process *process);

#endif
