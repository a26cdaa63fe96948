/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* nolisten: see commands.c. */
#include "commands.h"
#include "log.h"

int main(int argc, char **argv)
{
	(void)argc;
	log_open("nolisten", LOG_INFO);
	return command_main(&nolisten_command, argv);
}
