/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which remotes are told something else than the others, since the route to them has metrics: a table of prefixes, the
 * longest counts. It never changes, and so may be read by any thread.
 */
#ifndef NOLISTEN_ROUTES_H
#define NOLISTEN_ROUTES_H

#include <stddef.h>

#include "advertise.h"

#define ROUTES_MAX 65536 /* half of what nol_routes has room for */

struct routes;

struct routes_row {
	struct prefix prefix;
	struct nol_advertised advertised;
};

/*
 * all: every route of the tables in use, in any order; what is left of it afterwards gives the same again. *out is NULL if no remote is told anything else.
 * -ENOMEM; -E2BIG: it would be more than ROUTES_MAX rows.
 */
int routes_new(struct routes **out, const struct advertise_host *host, struct host_route *all,
	       size_t count);
void routes_free(struct routes *routes);

/* NULL: what all others are told. NULL is a table without rows. */
const struct nol_advertised *routes_find(const struct routes *routes, const struct addr *remote);

/* Every row, and that of a prefix or NULL. */
const struct routes_row *routes_all(const struct routes *routes, size_t *count);
const struct routes_row *routes_row(const struct routes *routes, const struct prefix *prefix);

#endif
