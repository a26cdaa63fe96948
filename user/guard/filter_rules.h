/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The text of the filter guard's rules. */
#ifndef NOLISTEN_FILTER_RULES_H
#define NOLISTEN_FILTER_RULES_H

#include "lease_guard.h"

/* The whole table; to be freed. ports: as nft_format_ports() has them, or NULL. NULL: no memory. */
char *filter_rules_table(const char *table, const struct lease_guard_options *options,
			 const char *ports);

#endif
