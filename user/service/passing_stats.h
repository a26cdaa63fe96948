/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What service socket counts, in connections: name, and what it counts. */
#ifndef NOLISTEN_PASSING_STATS_H
#define NOLISTEN_PASSING_STATS_H

#include <stdint.h>

/* clang-format off */
#define PASSING_STATS(X) \
	X(passed, "sent to an application") \
	X(returned, "come back, to wait or be reset: it died, or has not taken them in time") \
	X(fallen_back, "given to the service that --fallback names") \
	X(queue_full, "reset: as many as --queue has room for waited for an application") \
	X(queue_expired, "reset: no application has taken them in --queue-time") \
	X(not_asked, "reset: to a port and an address that no application has asked for")
/* clang-format on */

#define PASSING_STATS_FIELD(name, text) uint64_t name;
struct passing_stats {
	PASSING_STATS(PASSING_STATS_FIELD)
};

#endif
