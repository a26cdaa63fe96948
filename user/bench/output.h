/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What came out of it, as files: results.json, plots, and the page. */
#ifndef NOLISTEN_OUTPUT_H
#define NOLISTEN_OUTPUT_H

#include "board.h"

/* Into the folder, which is made. -errno, logged. */
int output_write(const struct board *board, const char *dir);

#endif
