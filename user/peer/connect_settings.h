/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What connect() of this host would say in a SYN to that remote. */
#ifndef NOLISTEN_CONNECT_SETTINGS_H
#define NOLISTEN_CONNECT_SETTINGS_H

#include <linux/types.h>
#include <stdint.h>

#include "engine.h"

/* ifindex: the interface that it has to leave by, or 0. Of what cannot be read the kernel's defaults. */
void connect_settings_read(const struct addr *local, const struct addr *remote, uint32_t ifindex,
			   struct engine_settings *out, uint8_t *syn_retries);

#endif
