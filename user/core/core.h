/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One interface on which TCP is answered without a listening socket: what the loader runs, and whatever else wants the
 * same. Everything happens in core_run()'s loop; all calls are made from one thread.
 */
#ifndef NOLISTEN_CORE_H
#define NOLISTEN_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "flows.h"
#include "link_watch.h"
#include "loop.h"
#include "plan.h"
#include "snapshot.h"

struct core;

/*
 * Made and checked; the host is not touched. config is copied, what it points to is borrowed until it is closed. -errno,
 * logged in one line.
 */
int core_open(struct core **out, const struct config *config);
/* From now on handshakes are answered. Signals that the caller takes in the loop are blocked before. -errno, logged. */
int core_attach(struct core *core);
/*
 * Work until core_stop(), or until it has left and the last connection has ended: 0. -errno, logged, if it cannot go on; it
 * is for the caller to close it then.
 */
int core_run(struct core *core);
/* Will what is attached stay, for the next loader (--pin)? */
bool core_keeps(const struct core *core);
/* It was attached, but cannot begin: with --pin nothing of it stays, unless the last loader had left something. */
void core_fail(struct core *core);
/*
 * Detach, unless it is kept, and leave the open connections to the service. Their number: with none core_run() returns. What is
 * kept may be taken over at once.
 */
uint64_t core_leave(struct core *core);
void core_stop(struct core *core);
void core_close(struct core *core);

/*
 * These ports are answered from now on. Connections go on; half-open flows of ports that are left are lost. -errno, logged:
 * the old ones still are.
 */
int core_set_ports(struct core *core, const struct port_set *ports);

/* Files that may have been renamed or replaced are opened again. False: there are none. */
bool core_reload(struct core *core);
/* The same for what --address has, in place of other such: none of the two may be empty. */
int core_set_prefixes(struct core *core, const struct prefix *prefixes, size_t count);

/* For the caller's own sources. */
struct loop *core_loop(struct core *core);
void core_snapshot(struct core *core,
		   struct snapshot *out); /* but for flows, which have to be looked through */
/* fn for every flow until it returns false. Their number, or -errno. */
int core_visit_flows(struct core *core, flow_fn fn, void *context);
/* "10.0.0.2, fd00::2", and "method engine, xdp native, guard tcx"; cut if they do not fit. */
void core_format_addresses(const struct core *core, char *text, size_t size);
void core_format_method(const struct core *core, char *text, size_t size);

/* What core_attach() would come to; config->is_rehearsal. Borrowed from the core. */
struct core_plan {
	struct link_info link;
	struct kern_plan kern; /* all zero without BPF */
	const struct prefix *prefixes; /* answered */
	size_t prefix_count;
};
/* -errno, logged: it would fail with the same line. */
int core_plan(const struct core *core, struct core_plan *out);

/* Is it an interface that this is for? -errno, logged. */
int core_find_link(const char *ifname, struct link_info *out);

#endif
