/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "measure.h"

#define START_STOP_MS 300
#define SERVES                                                                           \
	(CONTENDER_LISTENS | CONTENDER_LOADER | CONTENDER_PEER | CONTENDER_APPLICATION | \
	 CONTENDER_RUN)

/* Latencies first, while nothing is half-open; the floods, which fill backlogs and tables, last. */
const struct measure measure_table[] = {
	{
		.sheet = &sheet_table[SHEET_CONNECT],
		.run = measure_connect,
		.slices = 1,
		.kinds = SERVES,
	},
	{
		.sheet = &sheet_table[SHEET_SERIAL],
		.run = measure_serial,
		.slices = 1,
		.kinds = SERVES,
	},
	{
		.sheet = &sheet_table[SHEET_PARALLEL],
		.run = measure_parallel,
		.slices = 1,
		.kinds = SERVES,
	},
	{
		.sheet = &sheet_table[SHEET_REQUESTS],
		.run = measure_requests,
		.slices = 1,
		.kinds = SERVES,
		.unasked = "run,run-descriptors",
	},
	{
		.sheet = &sheet_table[SHEET_DEMAND],
		.run = measure_demand,
		.fixed_ms = 2 * START_STOP_MS,
		.kinds = CONTENDER_LISTENS | CONTENDER_RUN,
		.unasked = "run-demand",
	},
	{
		.sheet = &sheet_table[SHEET_DELAY],
		.run = measure_delay,
		.slices = 2,
		.fixed_ms = 2 * START_STOP_MS + 2000,
		.kinds = CONTENDER_LISTENS | CONTENDER_LOADER,
		.unasked = MEASURE_CHIEF,
		.is_slow = true,
	},
	{
		.sheet = &sheet_table[SHEET_BULK],
		.run = measure_bulk,
		.slices = 2,
		.fixed_ms = 20,
		.kinds = SERVES,
	},
	{
		.sheet = &sheet_table[SHEET_CPU],
		.run = measure_cpu,
		.slices = 2,
		.fixed_ms = 600,
		.kinds = SERVES,
		.is_once = true,
	},
	{
		.sheet = &sheet_table[SHEET_PROGRAM],
		.run = measure_program,
		.fixed_ms = 600,
		.kinds = CONTENDER_LOADER,
		.is_once = true,
	},
	{
		.sheet = &sheet_table[SHEET_MEMORY],
		.run = measure_memory,
		.fixed_ms = 350,
		.kinds = CONTENDER_LISTENS | CONTENDER_LOADER,
		.is_once = true,
	},
	{
		.sheet = &sheet_table[SHEET_FLOOD],
		.run = measure_flood,
		.slices = 3,
		.fixed_ms = 500,
		.kinds = SERVES,
	},
	{
		.sheet = &sheet_table[SHEET_CROWD],
		.run = measure_crowd,
		.needs_fresh = true,
		.slices = 1,
		.fixed_ms = 600,
		.kinds = CONTENDER_LISTENS | CONTENDER_LOADER,
		.is_once = true,
	},
	{
		.sheet = &sheet_table[SHEET_GROWTH],
		.run = measure_growth,
		.needs_fresh = true,
		.slices = 3,
		.fixed_ms = 2 * START_STOP_MS + 1200,
		.kinds = CONTENDER_LISTENS | CONTENDER_LOADER,
		.unasked = MEASURE_CHIEF,
		.is_slow = true,
		.is_once = true,
	},
	{
		.sheet = &sheet_table[SHEET_STRAYS],
		.run = measure_strays,
		.needs_fresh = true,
		.slices = 1,
		.fixed_ms = 50,
		.kinds = SERVES,
		.is_once = true,
	},
	{
		.sheet = &sheet_table[SHEET_SYNACK],
		.run = measure_synack,
		.needs_fresh = true,
		.slices = 1,
		.kinds = SERVES | CONTENDER_REFLECTS,
	},
	{
		.sheet = &sheet_table[SHEET_HANDSHAKE],
		.run = measure_handshake,
		.needs_fresh = true,
		.slices = 1,
		.kinds = CONTENDER_LISTENS | CONTENDER_LOADER,
	},
	{
		.sheet = &sheet_table[SHEET_ANSWERED],
		.run = measure_answered,
		.slices = 2 * ANSWERED_STEPS,
		.fixed_ms = (2 * ANSWERED_STEPS + 1) * START_STOP_MS,
		.kinds = CONTENDER_LOADER,
		.unasked = "xdp-native",
		.is_slow = true,
		.is_once = true,
	},
	{0},
};
