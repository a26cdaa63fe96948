/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What there is to show of each measure, as one table in the order in which it is shown. */
#ifndef NOLISTEN_SHEET_H
#define NOLISTEN_SHEET_H

#include <stdbool.h>

#define SHEET_FIGURES_MAX 14
#define SHEET_KERNEL "listen" /* the contender that ratios are taken to, "x kernel" */
#define SHEET_LIMIT "echo" /* the other one, "x limit" */

struct figure {
	const char *name; /* "synack.per_s" */
	const char *title; /* of its column */
	int decimals;
};

struct sheet {
	const char *name; /* of the measure */
	const char *title;
	const char *compared; /* the figure that ratios are taken of */
	const char *limit; /* the limit's figure that it is compared with; NULL: none */
	struct figure figures[SHEET_FIGURES_MAX]; /* ended by a NULL name */
};

enum {
	SHEET_CONNECT,
	SHEET_SERIAL,
	SHEET_PARALLEL,
	SHEET_REQUESTS,
	SHEET_DEMAND,
	SHEET_DELAY,
	SHEET_BULK,
	SHEET_CPU,
	SHEET_PROGRAM,
	SHEET_MEMORY,
	SHEET_FLOOD,
	SHEET_CROWD,
	SHEET_GROWTH,
	SHEET_STRAYS,
	SHEET_SYNACK,
	SHEET_HANDSHAKE,
	SHEET_ANSWERED,
	SHEETS,
};

extern const struct sheet sheet_table[SHEETS + 1]; /* ended by a NULL name */

enum sheet_aim {
	SHEET_NO_AIM, /* what was offered, or a check: neither is better */
	SHEET_LOWER,
	SHEET_HIGHER,
};

/* Which way a figure is better, by the unit that its name ends in. False: it is none that is known. */
bool sheet_aim(const char *figure, enum sheet_aim *out);
/* Shares are in % and have a mean, other figures a median. */
bool sheet_is_share(const char *figure);

/* Not of a contender: hand-offs a second by number of threads, as figures "handoff.THREADS.per_s" of HANDOFF_NAME. */
#define HANDOFF_MEASURE "handoff"
#define HANDOFF_NAME "nolisten"
#define HANDOFF_THREADS_MAX 8

/* Figures "growth.FLOWS.per_s" and "growth.FLOWS.mib"; "answered.prefixes.COUNT.per_s", "answered.ports.COUNT.per_s". */
#define GROWTH_STEPS 5
#define ANSWERED_STEPS 4
extern const unsigned int growth_flows[GROWTH_STEPS];
extern const unsigned int answered_prefixes[ANSWERED_STEPS], answered_ports[ANSWERED_STEPS];

#endif
