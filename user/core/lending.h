/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Method accept: the workers' parents are lent to one application, which then asks nobody any more. */
#ifndef NOLISTEN_LENDING_H
#define NOLISTEN_LENDING_H

#include <stdint.h>

#include "workers.h"

/* One of each worker, into fds. Of -errno the first ones may be lent all the same: end it. */
int lending_begin(struct workers *workers, int *fds, uint32_t *count);
/* Who has them is gone: what is left there waits, for whoever comes. */
void lending_end(struct workers *workers);
/* Another wants some: what comes from now on is to be shared out; -errno: it still has them. */
int lending_share(struct workers *workers);

#endif
