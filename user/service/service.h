/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What an established connection gets: echo, discard, hold, banner:TEXT, exec:COMMAND. A service runs in the
 * caller's loop, never blocks, and owns every descriptor that it took.
 */
#ifndef NOLISTEN_SERVICE_H
#define NOLISTEN_SERVICE_H

#include <stddef.h>
#include <stdint.h>

#include "addr.h"
#include "loop.h"

struct service;

struct service_options {
	/* exec: processes at a time; connections above that are closed at once and counted. */
	uint32_t max_children;
	uint32_t *
		children; /* those of all services, in several threads, that share the limit; NULL: this is the only one */
};

/* spec: as after --service=. -EINVAL if it is malformed: *error, a constant text, says how. */
int service_new(struct service **out, const char *spec, const struct service_options *options,
		struct loop *loop, const char **error);
/* Is spec well-formed? 0, or -EINVAL with *error as above. */
int service_check(const char *spec, const char **error);
/*
 * The connection is the service's from now on, also on failure: it is then closed and counted as refused.
 * -EAGAIN: max_children are running. fd may be in blocking mode or not.
 */
int service_take(struct service *service, int fd, const struct tuple *tuple);
/* Connections (exec: children) still served. */
size_t service_active(const struct service *service);
/* Connections that were closed for lack of descriptors or children. */
uint64_t service_refused(const struct service *service);
/* Close what is left (exec: children get SIGHUP), then free. */
void service_free(struct service *service);

/* The services for people: "banner:TEXT", and what it does in one line; NULL behind the last. */
const char *service_form(size_t index);
const char *service_meaning(size_t index);

#endif
