/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What came out of it, as JSON. */
#ifndef NOLISTEN_RESULTS_H
#define NOLISTEN_RESULTS_H

#include "board.h"

/* 0 or -errno. */
int results_write(const struct board *board, const char *path);

#endif
