/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Inside service forward: a connection and its two sides. */
#ifndef NOLISTEN_FORWARD_PRIVATE_H
#define NOLISTEN_FORWARD_PRIVATE_H

#include "connection.h"
#include "forward_spec.h"
#include "patience.h"
#include "stream.h"

struct forwarding {
	struct target_list targets;
	size_t next; /* whose turn it is */
	struct patience patience; /* with those that connect */
	struct stream_tools tools;
};

struct side {
	int fd;
	uint32_t events;
	struct loop_source *source; /* NULL: nothing is waited for */
};

struct forward {
	struct connection connection;
	struct waiter waiter;
	struct side remote, target;
	struct stream to_target, to_remote;
	size_t first, current; /* which target was tried first, and is now */
	uint64_t tried; /* bit 1 << target */
	bool is_joined;
	bool is_ended; /* as it should */
};

_Static_assert(FORWARD_TARGETS_MAX <= 64, "tried has a bit for each");

static inline struct forwarding *forward_settings(const struct forward *forward)
{
	return forward->connection.service->settings;
}

static inline struct service_stats *forward_stats(const struct forward *forward)
{
	return &forward->connection.service->stats;
}

/* What comes in small pieces goes on in small pieces. A keepalive of --sockopt stays. */
void forward_prepare(int fd);
/*
 * The next target that was not tried. 0: its answer is awaited, forward_on_target() is called. -errno: no other is left, or there is
 * nothing to ask with.
 */
int forward_connect(struct forward *forward);
/* This one is none, for that reason: the next, or the end. */
void forward_try_next(struct forward *forward, int err);
void forward_take_timeout(struct waiter *waiter);
/* It is connected. */
void forward_note_success(struct forward *forward);
void forward_leave_target(struct forward *forward);

void forward_on_target(void *context, uint32_t events);

#endif
