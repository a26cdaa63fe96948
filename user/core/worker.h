/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A session with all that is its own: loop, packets, service, events. It works in the main thread, or in one of its own; what
 * the main thread wants of it is done by a call, in the worker's thread, while the main thread waits.
 */
#ifndef NOLISTEN_WORKER_H
#define NOLISTEN_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "closing.h"
#include "config.h"
#include "events.h"
#include "loop.h"
#include "method.h"
#include "service.h"
#include "session.h"

struct worker;

/* Borrowed, but for what is copied. */
struct worker_options {
	uint32_t number;
	bool is_alone; /* works in the main thread: loop and events are the main thread's */
	const struct config *config;
	struct method *method;
	struct loop *loop;
	struct events *events; /* taken, or joined */
	struct closing *closing;
	struct engine_config engine; /* its share of the limits */
	uint32_t *children; /* atomic, exec's of all workers; NULL: it is alone */
	int apart_fd; /* see struct service_options */
	int failed_fd; /* an eventfd: the thread could not go on */
};

/* Errors are logged. */
int worker_new(struct worker **out, const struct worker_options *options);
/* Ends the thread, and what is left of the connections. */
void worker_free(struct worker *worker);

/* A thread of its own from now on. */
int worker_start(struct worker *worker);
/* Why its thread could not go on, or 0. */
int worker_error(const struct worker *worker);

typedef void (*worker_fn)(struct worker *worker, void *context);
/* fn in the worker's thread, or here if it has none; it is done when this returns. Of the main thread only. */
void worker_call(struct worker *worker, worker_fn fn, void *context);

/* These by worker_call() only. */
void worker_set_mtu(struct worker *worker, uint32_t mtu);
struct session *worker_session(struct worker *worker);
struct service *worker_service(struct worker *worker);

#endif
