/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The load of the benchmark: connect, send 64 bytes, read them back, close, again. One after the other with
 * blocking calls, as a plain client does it, or many at once in one thread. Every wait is bounded.
 */
#ifndef NOLISTEN_LOAD_H
#define NOLISTEN_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "addr.h"
#include "histogram.h"

#define LOAD_MESSAGE_LEN 64
#define LOAD_TIMEOUT_MS 3000 /* a connection without its echo has failed: two lost SYNs */
#define LOAD_FAILURES_MAX 1000 /* then the round is given up */
#define LOAD_PARALLEL_MAX 1024

struct load_options {
	struct endpoint remote;
	struct addr source; /* the first of source_count addresses, used in turn */
	uint32_t source_count; /* 0: the kernel chooses */
	uint16_t
		first_port; /* of the first connection, the next one for the next; 0: the kernel chooses, with a source */
	uint32_t warmup_ms; /* served, not counted */
	uint32_t duration_ms;
	uint32_t parallel; /* 1: one after the other */
	uint32_t requests; /* on each connection, one after the other; 0: one */
	bool has_fin; /* close in the ordinary way; otherwise by RST, which leaves no TIME-WAIT */
};

struct load_result {
	uint64_t connections, failed; /* within the duration */
	uint64_t requests; /* answered within the duration; of load_run_parallel() */
	uint64_t counted_ns; /* from the end of the warm-up to the last connection's end */
	int first_error; /* of the first failure: -errno */
	struct histogram latency; /* ns, connect() to the last byte of the echo */
};

/* Try until one connection is served. -ETIMEDOUT after wait_ms, the last error otherwise. */
int load_wait_for_server(const struct load_options *options, uint32_t wait_ms);
/* 0, also with failures in the result; -errno if no load could be made at all. */
int load_run(const struct load_options *options, struct load_result *out);

/* The parts. sequence: which connection this is; type: SOCK_NONBLOCK or 0. Bound and not connected; descriptor or -errno. */
int load_open(const struct load_options *options, uint64_t sequence, int type);
/* One blocking connection; 0 or -errno, *latency_ns is connect() to echo. */
int load_one(const struct load_options *options, uint64_t sequence, uint64_t *latency_ns);
void load_count_failure(struct load_result *result, int err);
int load_run_parallel(const struct load_options *options, struct load_result *out);

extern const char load_message[LOAD_MESSAGE_LEN];

#endif
