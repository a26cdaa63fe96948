/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "measure.h"

#define SERVES (CONTENDER_LISTENS | CONTENDER_LOADER | CONTENDER_PEER)

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
		.sheet = &sheet_table[SHEET_BULK],
		.run = measure_bulk,
		.slices = 2,
		.fixed_ms = 20,
		.kinds = SERVES,
	},
	{
		.sheet = &sheet_table[SHEET_PROGRAM],
		.run = measure_program,
		.fixed_ms = 900,
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
	{0},
};
