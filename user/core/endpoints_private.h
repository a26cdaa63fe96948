/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Inside endpoints: the rows. */
#ifndef NOLISTEN_ENDPOINTS_PRIVATE_H
#define NOLISTEN_ENDPOINTS_PRIVATE_H

#include "endpoints.h"

struct row {
	uint16_t port;
	struct prefix at;
	uint32_t claims; /* that name it */
	uint32_t client; /* whose parents it has */
	struct nol_endpoint value;
	uint64_t alive; /* of endpoints_sweep(): a bit for each parent */
};

struct endpoints {
	struct kern *kern;
	struct row **rows;
	size_t count;
};

/* Has somebody a listener there, or is to have one? */
static inline bool endpoint_is_offered(const struct row *row)
{
	return row->value.count || row->value.is_waiting;
}

#endif
