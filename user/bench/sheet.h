/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What there is to show of each measure, as one table in the order in which it is shown. */
#ifndef NOLISTEN_SHEET_H
#define NOLISTEN_SHEET_H

#define SHEET_FIGURES_MAX 8
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
	SHEET_BULK,
	SHEET_PROGRAM,
	SHEET_MEMORY,
	SHEET_FLOOD,
	SHEET_SYNACK,
	SHEET_HANDSHAKE,
	SHEETS,
};

extern const struct sheet sheet_table[SHEETS + 1]; /* ended by a NULL name */

/* Not of a contender: hand-offs a second by number of threads, as figures "handoff.THREADS.per_s" of HANDOFF_NAME. */
#define HANDOFF_MEASURE "handoff"
#define HANDOFF_NAME "nolisten"
#define HANDOFF_THREADS_MAX 8

#endif
