/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * When to send, and how long to measure. A paced load has its send times from the clock alone, and a latency
 * counts from the scheduled time: what waits behind a slow one is slow too (no coordinated omission).
 */
#ifndef NOLISTEN_SCHEDULE_H
#define NOLISTEN_SCHEDULE_H

#include <stdint.h>

struct pace {
	uint64_t start_ns; /* of the first */
	uint64_t per_s; /* more than 0 */
};

/* How many were due up to now, this instant included. */
uint64_t pace_due(const struct pace *pace, uint64_t now_ns);
/* When the index-th is due, from 0 on. */
uint64_t pace_time_ns(const struct pace *pace, uint64_t index);

/* What a run consists of. Fixed: work that takes as long as it takes, such as starting and stopping. */
struct plan_work {
	uint32_t budget_ms; /* for everything */
	uint32_t first_round_ms; /* fixed, of the first round alone */
	uint32_t round_ms; /* fixed, of every round */
	uint32_t slices; /* of every round */
	uint32_t rounds; /* wanted */
	uint32_t slice_max_ms; /* 0: PLAN_SLICE_MAX_MS */
};

struct plan {
	uint32_t rounds;
	uint32_t slice_ms;
};

#define PLAN_SLICE_MIN_MS 60
#define PLAN_SLICE_MAX_MS 1500

/* Fewer rounds before slices that are too short to say anything; at least one round, if it takes longer or not. */
struct plan plan_make(const struct plan_work *work);

#endif
