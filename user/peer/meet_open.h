/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The simultaneous open of nolisten meet. A socket waits in SYN_SENT behind the guard until the peer's SYN finds it or a
 * SYN-ACK comes. What resets it meanwhile (a plain peer that gave up in between) only leads to the next attempt.
 */
#ifndef NOLISTEN_MEET_OPEN_H
#define NOLISTEN_MEET_OPEN_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

#include <abi/meet.h>

#include "addr.h"

/* What to meet, and how. */
struct meet_options {
	struct tuple tuple;
	uint64_t timeout_s;
	bool is_crossed; /* let both SYNs truly cross */
};

struct meet_result {
	int fd; /* connected, non-blocking; -1: not connected */
	uint64_t elapsed_ns;
	struct nol_meet_seen
		seen; /* since the last attempt began if connected, else since the start */
	int last_err; /* what ended the last attempt that failed, or 0 */
};

/*
 * 0; -ETIMEDOUT, -EINTR (SIGINT, SIGTERM) or what the last attempt failed with: to be put into words by
 * meet_reason.h; -EALREADY: it has been. The guard is gone in any case.
 */
int meet_open(const struct meet_options *options, struct meet_result *out);

#endif
