/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The commands that there are, one a file. */
#ifndef NOLISTEN_COMMANDS_H
#define NOLISTEN_COMMANDS_H

#include "option.h"

extern const struct command nolisten_command; /* has those below */
extern const struct command flows_command, status_command, top_command, self_command, meet_command,
	connect_command, explain_command, guard_command, run_sub_command, unload_command,
	bench_command;

#endif
