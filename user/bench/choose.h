/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What takes part, by the options. */
#ifndef NOLISTEN_CHOOSE_H
#define NOLISTEN_CHOOSE_H

#include "bench.h"

bool choose_has_measure(const struct bench_options *options, const char *name);
/* Fills in bench->contenders: of the table and the peers, those that are asked for. -EINVAL, logged. */
int choose_contenders(struct bench *bench);

/* Is the name in the list, which is separated by commas? */
bool choose_is_in_list(const char *list, const char *name);

#endif
