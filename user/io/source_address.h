/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* From which of our addresses connect() would go to a remote. */
#ifndef NOLISTEN_SOURCE_ADDRESS_H
#define NOLISTEN_SOURCE_ADDRESS_H

#include <stdint.h>

#include "addr.h"

/*
 * scope_id: of link-local addresses; ifindex: the interface that it has to leave by, or 0. With what connect() would fail:
 * -ENETUNREACH, -EHOSTUNREACH, -EACCES for a broadcast address; *out is left alone then.
 */
int source_address_find(const struct addr *remote, uint32_t scope_id, uint32_t ifindex,
			struct addr *out);

#endif
