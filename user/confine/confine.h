/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the processes of the loader give up, for good; doc/privileges.md has the table. Entered once, when everything that asks
 * for more has been done.
 */
#ifndef NOLISTEN_CONFINE_H
#define NOLISTEN_CONFINE_H

#include <stdbool.h>
#include <stdint.h>

#include "loop.h"
#include "run_as.h"

/* What the options say. */
struct confine_config {
	bool keeps_all; /* nothing is given up by the loader itself */
	struct run_as user; /* that the loader becomes, and its services */
};

struct confine_options {
	const struct confine_config *config;
	const char *ifname; /* in messages */
	bool binds_low_ports; /* those that not everybody may bind, or may later */
	bool signals_others; /* processes of ours */
	bool runs_programs; /* iptables, as root */
};

struct confined;

/*
 * The calling process, with the threads that it has, which keep no capability, and will have. What the filter refuses from then
 * on is said in the loop, once for each call. -errno, logged.
 */
int confine_loader(struct confined **out, struct loop *loop, const struct confine_options *options);
/* The process stays as it is. What was refused last is said. */
void confined_free(struct confined *confined);

/* A thread that opens files and needs no capability: not even that of the threads beside it. */
void confine_thread(void);

/*
 * The calling process, which talks to strangers, as that user. is_root_fine: for a user who cannot become it; the filter
 * that it is going to enter lets it open nothing. -errno.
 */
struct confine_service {
	struct run_as user;
	bool is_root_fine;
};
int confine_service(const struct confine_service *service);
/* The same process, once it has all that it needs: it moves the bytes of connections, and nothing else. -errno. */
int confine_to_connections(void);

/* Whom services run as: the user of --user=, or nobody when root starts us. */
struct run_as confine_service_user(const struct confine_config *config);

#endif
