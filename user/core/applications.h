/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Service socket: which applications there are, what each may have, and which ports are answered therefore. Of the main thread.
 */
#ifndef NOLISTEN_APPLICATIONS_H
#define NOLISTEN_APPLICATIONS_H

#include "config.h"
#include "core.h"
#include "engine.h"
#include "ports.h"
#include "workers.h"

struct applications;

/* The ports that are answered while there is no application: with --fallback all, otherwise none. Other services: all. */
void applications_first_ports(const struct config *config, struct port_set *out);

/* Everything is borrowed; kern: NULL: a method without BPF. settings: as they are at each time. config: its ports are those that may be asked for. *out is NULL if the service is another one. Errors are logged. */
int applications_new(struct applications **out, struct core *core, const struct config *config,
		     struct workers *workers, struct kern *kern,
		     const struct engine_settings *settings);
void applications_free(struct applications *applications);
/* Nothing is answered any more: who comes now is refused. */
void applications_leave(struct applications *applications);
/* Once a second: who has not come back in time will not. */
void applications_beat(struct applications *applications);

#endif
