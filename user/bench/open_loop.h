/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Clients that come when they come: connections begin at scheduled times, however the ones before them fare, and
 * every latency counts from the scheduled time.
 */
#ifndef NOLISTEN_OPEN_LOOP_H
#define NOLISTEN_OPEN_LOOP_H

#include "load.h"

/* Less than the first retransmission of a SYN (1 s): who is served has lost none. */
#define OPEN_LOOP_TIMEOUT_MS 400

#define OPEN_LOOP_PER_S_MAX 5000

struct open_loop_options {
	struct load_options load; /* remote and sources */
	uint32_t per_s;
	uint32_t duration_ms;
	uint32_t timeout_ms; /* 0: OPEN_LOOP_TIMEOUT_MS */
};

struct open_loop_result {
	uint64_t attempts;
	uint64_t connected;
	uint64_t served; /* also had their echo, all within the timeout */
	int first_error; /* -errno */
	struct histogram connect; /* ns to the end of connect() */
	struct histogram first_byte; /* ns to the echo, of those that were served */
};

/* Many at once, without blocking. 0 or -errno; -ERANGE: more at once than OPEN_LOOP_PER_S_MAX has them. */
int open_loop_run(const struct open_loop_options *options, struct open_loop_result *out);

/* One after the other with a blocking connect(), which is then closed. */
int open_loop_connect(const struct open_loop_options *options, struct open_loop_result *out);

#endif
