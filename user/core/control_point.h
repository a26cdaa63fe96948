/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a core tells at its control socket, whose name is the lock of the interface. */
#ifndef NOLISTEN_CONTROL_POINT_H
#define NOLISTEN_CONTROL_POINT_H

#include "control_server.h"
#include "core.h"
#include "loop.h"

/* core is borrowed, and asked from the loop. -EADDRINUSE: another loader is there. Errors are logged. */
int control_point_open(struct control_server **out, struct core *core, const struct config *config,
		       struct loop *loop);

#endif
