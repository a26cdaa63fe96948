/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a core tells those who collect metrics. */
#ifndef NOLISTEN_METRICS_POINT_H
#define NOLISTEN_METRICS_POINT_H

#include "core.h"
#include "loop.h"
#include "metrics_server.h"

/* By config->metrics; NULL: *out stays as it is. core is borrowed, and asked from the loop. Errors are logged. */
int metrics_point_open(struct metrics_server **out, struct core *core, const struct config *config,
		       struct loop *loop);

#endif
