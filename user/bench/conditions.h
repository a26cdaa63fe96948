/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Under what conditions was measured, in a line. */
#ifndef NOLISTEN_CONDITIONS_H
#define NOLISTEN_CONDITIONS_H

#include "board.h"
#include "lab.h"
#include "machine.h"
#include "schedule.h"

/* What the machine is like, with a warning for each thing by which figures swing. */
void conditions_look(const struct lab *lab, struct machine *out);
/* A crowd of connections is as many descriptors of the server, more than many hosts allow. */
void conditions_allow_descriptors(void);
/* The machine: kernel, processor, CPUs that are used; and the plan. */
void conditions_describe(const struct lab *lab, const struct plan *plan,
			 char text[BOARD_CONDITIONS_SIZE]);
/* The command line that this process was started with, to be freed; NULL: it cannot be read. */
char *conditions_read_command(void);

#endif
