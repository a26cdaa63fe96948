/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What an established connection gets: echo, discard, hold, banner:TEXT, exec:COMMAND, forward:HOST:PORT, record:BYTES,
 * socket:PATH. A service runs in the caller's loop, never blocks, and owns every descriptor that it took.
 */
#ifndef NOLISTEN_SERVICE_H
#define NOLISTEN_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "addr.h"
#include "loop.h"
#include "service_stats.h"

struct service;
struct syn_print;

/* What a service has to tell of a connection. Borrowed during the call. */
struct service_news {
	enum {
		SERVICE_PAYLOAD, /* its first bytes */
		SERVICE_NO_TARGET, /* nobody to forward it to: it is reset */
	} kind;
	const struct tuple *tuple; /* both ends */
	uint32_t method; /* these as in struct arrival; 0: not known */
	uint64_t flow_ns;
	const void *payload;
	size_t payload_len;
	const char *reason; /* why there are no more of them */
};

struct service_options {
	/* exec: processes at a time; connections above that are closed at once and counted. */
	uint32_t max_children;
	uint32_t *
		children; /* those of all services, in several threads, that share the limit; NULL: this is the only one */
	/* socket: what those get that no application takes, by another service; NULL: a RST. Borrowed until service_new() returns. */
	const char *fallback;
	uint32_t queue_max; /* connections that wait for each application */
	uint64_t queue_ns; /* for how long */
	/* A connection is over, whoever ended it; NULL: nobody wants to know. */
	void (*closed)(void *context, const struct tuple *tuple, uint64_t flow_ns);
	/* NULL: nobody wants to know either. */
	void (*tell)(void *context, const struct service_news *news);
	void *context;
	uint64_t connect_ns; /* forward: for how long an answer of a target is awaited */
	bool has_proxy_header; /* forward: targets are told who is forwarded */
	uint64_t record_ns; /* record: for how long bytes are awaited */
	/* Of exec, banner and record: to the process that has the service, see apart_protocol.h. Borrowed, and shut down with the service. 0: this one. */
	int apart_fd;
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
/* The same, and there is likely something to read: it need not wait for the loop to say so. */
int service_take_ready(struct service *service, int fd, const struct tuple *tuple);
/* How a connection came to be, for a service that passes it on. Borrowed during the call. */
struct arrival {
	uint32_t method; /* enum nol_method: who answered its SYN */
	const struct syn_print *syn; /* NULL: nobody kept it */
	uint64_t flow_ns; /* when its flow was made, by which events know it; 0: not known */
};
/* The same; is_ready: as service_take_ready(). */
int service_take_arrival(struct service *service, int fd, const struct tuple *tuple,
			 const struct arrival *arrival, bool is_ready);
/* After a round in which connections were taken: what is better done for several of them at once. */
void service_flush(struct service *service);
/* Does it need the local end of a connection's tuple? Other services take one with port 0. */
bool service_wants_local(const struct service *service);
/* Connections (exec: children) still served. */
size_t service_active(const struct service *service);
/* Connections that were closed for lack of descriptors or children. */
uint64_t service_refused(const struct service *service);
/* What it and the service behind it have counted. */
void service_read_stats(const struct service *service, struct service_stats *out);
/* fn for each address that it forwards to; of other services none. */
typedef void (*service_target_fn)(void *context, const struct endpoint *target);
void service_visit_targets(const struct service *service, service_target_fn fn, void *context);
/* fn for each that is still served, until it returns false; their number. created_ns: CLOCK_MONOTONIC. */
typedef bool (*service_fn)(void *context, const struct tuple *tuple, uint64_t created_ns);
int service_visit(struct service *service, service_fn fn, void *context);
/* Close what is left (exec: children get SIGHUP), then free. */
void service_free(struct service *service);

/* Does it talk to strangers, so that it is better had in a process of its own? */
bool service_is_apart(const char *spec);

/* Is it the service of that name, as in "forward" for forward:10.0.0.3:80? */
bool service_is(const char *spec, const char *name);

/* The services for people: "banner:TEXT", and what it does in one line; NULL behind the last. */
const char *service_form(size_t index);
const char *service_meaning(size_t index);

#endif
