/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Service forward, as far as it concerns what is answered here. */
#ifndef NOLISTEN_FORWARDING_H
#define NOLISTEN_FORWARDING_H

#include "answered.h"
#include "config.h"
#include "workers.h"

/*
 * A target that is answered here itself, and that no kernel socket listens on, would go round in circles, or meet nobody:
 * -ELOOP, logged.
 */
int forwarding_check(const struct config *config, const struct answered *answered,
		     struct workers *workers);

#endif
