/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What came out of it, as plots. */
#ifndef NOLISTEN_PLOT_H
#define NOLISTEN_PLOT_H

#include "board.h"

/* latency.svg, flood.svg and throughput.svg, of what there is, into the folder. -ENOENT if there is no gnuplot; logged. */
int plot_draw(const struct board *board, const char *dir);

#endif
