/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Ports that are answered for a COMMAND that is not there yet. */
#ifndef NOLISTEN_EARLY_H
#define NOLISTEN_EARLY_H

#include <stdbool.h>

#include "addr.h"
#include "plane.h"
#include "ports.h"
#include "run_sockets.h"

/*
 * A listener for each port, at this address; NULL: any of both families. COMMAND gets them when it binds there, or as it starts. -errno,
 * logged.
 */
int early_make(struct run_sockets *sockets, const struct port_set *ports,
	       const struct addr *address);

/*
 * Nothing is known of what COMMAND will bind: who connects to one of these ports, at any address, waits, unless there is a listener of
 * the port already. -errno, logged.
 */
int early_await(struct plane *plane, const struct run_sockets *sockets,
		const struct port_set *ports);
/* It has bound what it wants: who has waited for something else is refused. */
void early_settle(struct plane *plane, const struct port_set *ports);

#endif
