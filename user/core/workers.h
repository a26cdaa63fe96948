/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * All workers of an interface. One works in the main thread's loop; several have a thread, a ring, a loop and a service
 * each, and the main thread keeps what there is only one of. Called by the main thread, from its loop too.
 */
#ifndef NOLISTEN_WORKERS_H
#define NOLISTEN_WORKERS_H

#include <stddef.h>
#include <stdint.h>

#include "closing.h"
#include "config.h"
#include "counters.h"
#include "events.h"
#include "loop.h"
#include "method.h"
#include "worker.h"

struct workers;

/* Everything is borrowed. */
struct workers_options {
	const struct config *config;
	struct method *method;
	struct loop *loop;
	struct events *events;
	struct closing *closing;
	const struct engine_config *engine; /* its limits are those of all together */
	const int
		*apart_fds; /* a worker's each, see struct service_options; NULL: there are none */
};

/* Errors are logged. */
int workers_new(struct workers **out, const struct workers_options *options);
void workers_free(struct workers *workers);

/* One that is alone needs nothing; the others begin, once the signals of the main thread are blocked. Errors are logged. */
int workers_start(struct workers *workers);
/* Work until workers_stop(), called from a callback of the loop, or until one cannot go on. */
int workers_run(struct workers *workers);
void workers_stop(struct workers *workers);

/* session_drain(), session_leave(), session_set() and the wire's set_mtu() of all, one after the other. */
void workers_drain(struct workers *workers);
void workers_let_go(struct workers *workers, uint64_t end_ns); /* see session_let_go() */
void workers_leave(struct workers *workers);
void workers_set(struct workers *workers, const struct engine_settings *settings);
void workers_set_mtu(struct workers *workers, uint32_t mtu);

/* worker_call() of all, one after the other. */
void workers_call(struct workers *workers, worker_fn fn, void *context);

uint32_t workers_count(const struct workers *workers);
/* sum: all together, session.closed as well; each: of every one, NOL_WORKERS_MAX of them, or NULL. */
void workers_read(struct workers *workers, struct worker_counts *each, struct worker_counts *sum);
uint64_t workers_connections(struct workers *workers);

/* fn for every connection that a service has, until it returns false; their number. Of methods without a flow table. */
int workers_visit(struct workers *workers, flow_fn fn, void *context);

#endif
