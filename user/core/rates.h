/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the counters of the programs have grown by, a second: over the last beat of the loader. */
#ifndef NOLISTEN_RATES_H
#define NOLISTEN_RATES_H

#include <stdint.h>

#include "gate.h"

struct rates {
	struct nol_stats last;
	uint64_t last_ns; /* 0: no beat yet */
	struct nol_stats per_s;
};

void rates_beat(struct rates *rates, struct gate *gate, uint64_t now_ns);

#endif
