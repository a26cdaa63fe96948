/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is measured of each contender, as one table in the order in which it is done. */
#ifndef NOLISTEN_MEASURE_H
#define NOLISTEN_MEASURE_H

#include "bench.h"

#define MEASURE_FIGURES_MAX 8

struct figure {
	const char *name; /* "synack.per_s" */
	const char *title; /* of its column */
	int decimals;
};

struct measure {
	const char *name;
	const char *title;
	int (*run)(struct bench *bench, uint32_t slice_ms);
	unsigned int slices; /* that it takes */
	unsigned int fixed_ms; /* beside them */
	unsigned int kinds; /* enum contender_kind: who takes part */
	bool is_once; /* in the first round only when in a hurry */
	bool needs_fresh; /* what floods before have left behind would be in the way */
	const char *compared; /* the figure that ratios are taken of */
	const char *limit; /* the limit's figure that it is compared with; NULL: none */
	struct figure figures[MEASURE_FIGURES_MAX]; /* ended by a NULL name */
};

extern const struct measure measure_table[]; /* ended by a NULL name */

/* Not of a contender: hand-offs a second by number of threads, as figures "handoff.THREADS.per_s" of HANDOFF_NAME. */
#define HANDOFF_MEASURE "handoff"
#define HANDOFF_NAME "nolisten"
#define HANDOFF_THREADS_MAX 8
#define HANDOFF_SLICES 4 /* 1, 2, 4, 8 threads */
int measure_handoff(struct bench *bench, uint32_t slice_ms);

int measure_connect(struct bench *bench, uint32_t slice_ms);
int measure_serial(struct bench *bench, uint32_t slice_ms);
int measure_parallel(struct bench *bench, uint32_t slice_ms);
int measure_bulk(struct bench *bench, uint32_t slice_ms);
int measure_program(struct bench *bench, uint32_t slice_ms);
int measure_memory(struct bench *bench, uint32_t slice_ms);
int measure_flood(struct bench *bench, uint32_t slice_ms);
int measure_synack(struct bench *bench, uint32_t slice_ms);
int measure_handshake(struct bench *bench, uint32_t slice_ms);

/* Handshakes that the contender has completed and sockets it has made of them, since it started. */
struct completed {
	uint64_t handshakes, sockets;
};
int measure_read_completed(struct bench *bench, struct completed *out);

/* Latency quantiles and success of all rounds, recorded at the end. */
void measure_finish(struct bench *bench);

#endif
