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

#include "events.h"
#include "loop.h"
#include "packet_io.h"
#include "service.h"
#include "session.h"

struct worker;

struct worker_options {
	uint32_t number;
	bool is_alone; /* works in the main thread: loop and events are the main thread's */
	struct packet_io
		*io; /* the worker's from now on, also on failure, unless it is the method's own */
	bool owns_io;
	struct loop *loop;
	struct events *events; /* borrowed, or joined */
	const char *service;
	struct service_options service_options;
	struct session_options session; /* but for loop, io, service and events */
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
struct session *worker_session(struct worker *worker);
struct packet_io *worker_io(struct worker *worker);
struct service *worker_service(struct worker *worker);

#endif
