/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the services count that pass on or record: name, and what it counts. */
#ifndef NOLISTEN_SERVICE_STATS_H
#define NOLISTEN_SERVICE_STATS_H

#include <stdint.h>

/* clang-format off */
#define SERVICE_STATS(X) \
	X(forwarded, "connections that forward has joined to a target") \
	X(forward_failed, "attempts to connect to a target that failed, or took too long") \
	X(forward_failed_over, "connections that got another target than the one whose turn it was") \
	X(forward_no_target, "reset: none of the targets could be connected to") \
	X(forward_aborted, "joined connections that one end has reset: so was the other") \
	X(forward_sent_bytes, "bytes from remotes to targets") \
	X(forward_received_bytes, "bytes from targets to remotes") \
	X(recorded, "connections whose first bytes record has told of") \
	X(recorded_bytes, "bytes that it has told of")
/* clang-format on */

#define SERVICE_STATS_FIELD(name, text) uint64_t name;
struct service_stats {
	SERVICE_STATS(SERVICE_STATS_FIELD)
};

#endif
