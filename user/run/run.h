/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* nolisten run: an unmodified server, which gets its connections though nobody listens on its port. */
#ifndef NOLISTEN_RUN_COMMAND_H
#define NOLISTEN_RUN_COMMAND_H

#include <stdbool.h>

#include "addr.h"
#include "life.h"
#include "ports.h"
#include "run_user.h"

struct run_options {
	const char *interfaces; /* "lo,eth0"; NULL: all that are up and have an address */
	const struct port_set *ports; /* NULL: all that COMMAND listens on */
	const struct run_user *user; /* NULL: ours */
	const char *socket; /* of a running loader; NULL: our own data planes */
	bool has_no_parent; /* sockets are put in, also where the kernel could queue connections at the program's own */
	bool is_quiet;
	struct life_options life; /* name and callbacks are set by run_command() */
	const struct addr *
		address; /* of the listeners that are made before COMMAND is there; NULL: any of both families */
	bool passes_listeners; /* LISTEN_FDS */
	char **command; /* points into argv */
};

/* The exit status: COMMAND's, or as env(1) has it. Errors are logged. */
int run_command(const struct run_options *options);

#endif
