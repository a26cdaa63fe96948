/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * nolisten guard: while a command runs, a process lives, or until Ctrl-C, the kernel's RSTs do not end what raw-socket
 * programs are doing on an interface. What the guard stops is in bpf/lease.bpf.c.
 */
#ifndef NOLISTEN_GUARD_COMMAND_H
#define NOLISTEN_GUARD_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "lease_guard.h"

struct guard_options {
	const char *ifname;
	struct lease_guard_options lease; /* but ifname, ifindex, has_link_header, name */
	bool is_filter; /* by nftables instead of BPF */
	const char *redirect; /* NOL_RST_REDIRECT: to this interface */
	uint32_t pid; /* guard while it lives; 0: none was given */
	char **command; /* NULL: none; points into argv */
	bool is_quiet;
};

/* The exit status: the command's, if there is one. Errors are logged. */
int guard_run(const struct guard_options *options);

#endif
