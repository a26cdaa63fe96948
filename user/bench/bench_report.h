/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What came out of it, as tables and goals on standard output. */
#ifndef NOLISTEN_BENCH_REPORT_H
#define NOLISTEN_BENCH_REPORT_H

#include "board.h"

void bench_report_print(const struct board *board);

#endif
