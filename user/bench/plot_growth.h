/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Plots of how the cost grows: see plot.h. */
#ifndef NOLISTEN_PLOT_GROWTH_H
#define NOLISTEN_PLOT_GROWTH_H

#include <stdio.h>

#include "board.h"

bool plot_growth_has_flows(const struct board *board, unsigned int row);
void plot_growth_flows(FILE *file, const struct board *board, const char *dir);
bool plot_growth_has_memory(const struct board *board, unsigned int row);
void plot_growth_memory(FILE *file, const struct board *board, const char *dir);
/* Prefixes and ports are two lines, of one contender. */
bool plot_growth_has_answered(const struct board *board, unsigned int row);
void plot_growth_answered(FILE *file, const struct board *board, const char *dir);

#endif
