/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* GET /metrics over HTTP, from the loop: no thread, and nobody who asks slowly is waited for. */
#ifndef NOLISTEN_METRICS_SERVER_H
#define NOLISTEN_METRICS_SERVER_H

#include <stdbool.h>

#include <jansson.h>

#include "loop.h"

struct metrics_server;

/* What is told: an array for openmetrics_write(), a new reference; NULL: no memory. */
typedef json_t *(*metrics_fn)(void *context);

/* "unix:PATH", "ADDR:PORT", or ":PORT", which is on 127.0.0.1. False, with the reason, if text is none of these. */
bool metrics_address_check(const char *text, const char **why);

/* Could it listen there? Nobody is let in, and nothing stays. Not for unix:. 0 or -errno. */
int metrics_address_try(const char *address);

/*
 * address: as checked. A socket in the file system that nobody serves any more is replaced. Errors are logged. Ends
 * with metrics_server_free(), which removes the file.
 */
int metrics_server_new(struct metrics_server **out, const char *address, struct loop *loop,
		       metrics_fn fn, void *context);
void metrics_server_free(struct metrics_server *server); /* NULL is legal */

#endif
