/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Inside the service process: connections in, their ends and their first bytes back. */
#ifndef NOLISTEN_SERVING_H
#define NOLISTEN_SERVING_H

#include "service_process.h"

/* What the keeper sees of it, also after its death: for each pair, how many connections have been read. */
struct serving_seen {
	uint64_t taken[SERVICE_PROCESS_PAIRS_MAX];
};

/*
 * Until the loader has closed all pairs: 0. -errno, logged. is_first: say that it is ready. keeper_pidfd: when that has ended, connections
 * and commands are, too; -1: it is not watched.
 */
int serving_run(const struct service_process_options *options, const int *fds, int keeper_pidfd,
		struct serving_seen *seen, bool is_first);

#endif
