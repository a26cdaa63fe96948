/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Who takes part, by the options. */
#ifndef NOLISTEN_CHOOSE_H
#define NOLISTEN_CHOOSE_H

#include "bench.h"
#include "contender.h"

struct cast {
	unsigned int count;
	struct contender all[CONTENDERS_MAX + 1];
};

/* Of the table and the peers, those that are asked for, into the empty cast. -EINVAL, logged. */
int choose_contenders(struct cast *cast, const struct bench_options *options);

#endif
