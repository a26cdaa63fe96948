/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is measured of each contender, as one table in the order in which it is done. */
#ifndef NOLISTEN_MEASURE_H
#define NOLISTEN_MEASURE_H

#include "load.h"
#include "sheet.h"
#include "trial.h"

struct measure {
	const struct sheet *sheet; /* its name, and what it records */
	int (*run)(struct trial *trial, uint32_t slice_ms);
	unsigned int slices; /* that it takes */
	unsigned int fixed_ms; /* beside them */
	unsigned int kinds; /* enum contender_kind: who takes part */
	/* Unless --only has it: these contenders alone (a list; NULL: all), and not with --quick. */
	const char *unasked;
	bool is_slow;
	bool is_once; /* in the first round only, unless --only has it: when in a hurry, and of others than MEASURE_CHIEF */
	bool needs_fresh; /* what floods before have left behind would be in the way */
};

extern const struct measure measure_table[]; /* ended by a NULL sheet */

int measure_connect(struct trial *trial, uint32_t slice_ms);
int measure_serial(struct trial *trial, uint32_t slice_ms);
int measure_parallel(struct trial *trial, uint32_t slice_ms);
int measure_requests(struct trial *trial, uint32_t slice_ms);
int measure_demand(struct trial *trial, uint32_t slice_ms);
int measure_delay(struct trial *trial, uint32_t slice_ms);
int measure_bulk(struct trial *trial, uint32_t slice_ms);
int measure_cpu(struct trial *trial, uint32_t slice_ms);
int measure_program(struct trial *trial, uint32_t slice_ms);
int measure_memory(struct trial *trial, uint32_t slice_ms);
int measure_crowd(struct trial *trial, uint32_t slice_ms);
int measure_flood(struct trial *trial, uint32_t slice_ms);
int measure_growth(struct trial *trial, uint32_t slice_ms);
int measure_strays(struct trial *trial, uint32_t slice_ms);
int measure_synack(struct trial *trial, uint32_t slice_ms);
int measure_handshake(struct trial *trial, uint32_t slice_ms);
int measure_answered(struct trial *trial, uint32_t slice_ms);

/* The server's anonymous memory and its BPF maps, bytes. */
int measure_own_memory(const struct trial *trial, double *out);
/* With the host's socket caches. */
int measure_all_memory(const struct trial *trial, double *out);

/* Those that most depends on: what takes long is taken of them alone, unless --only has it. */
#define MEASURE_CHIEF "listen,auto,engine,accept"

/* A client of the lab's server, by any of the client's addresses. */
struct load_options measure_load(void);

/* Of no contender: see HANDOFF_MEASURE. */
#define HANDOFF_SLICES 4 /* 1, 2, 4, 8 threads */
int measure_handoff(struct trial *trial, uint32_t slice_ms);

/* Latency quantiles and success of all rounds, recorded at the end. */
void measure_finish(struct board *board);

#endif
