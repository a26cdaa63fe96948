/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Under what conditions was measured, in a line. */
#ifndef NOLISTEN_CONDITIONS_H
#define NOLISTEN_CONDITIONS_H

#include "board.h"
#include "lab.h"
#include "schedule.h"

/* The machine: kernel, processor, CPUs that are used; and the plan. */
void conditions_describe(const struct lab *lab, const struct plan *plan,
			 char text[BOARD_CONDITIONS_SIZE]);

#endif
