/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Once a second: what was dropped or lost since the last look, as events. */
#ifndef NOLISTEN_ALERTS_H
#define NOLISTEN_ALERTS_H

#include "events.h"
#include "gate.h"

struct alerts {
	struct nol_stats last;
};

void alerts_check(struct alerts *alerts, struct gate *gate, struct events *events);

#endif
