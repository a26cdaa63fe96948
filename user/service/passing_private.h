/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Inside service socket: what waits, and for whom. */
#ifndef NOLISTEN_PASSING_PRIVATE_H
#define NOLISTEN_PASSING_PRIVATE_H

#include "app_protocol.h"
#include "connection.h"
#include "passing.h"

/* A connection that nobody has taken yet. */
struct waiting {
	struct connection connection;
	struct waiting *next;
	struct app_record record;
	bool is_given; /* its end here is not its end */
};

/* In the order in which they came. */
struct queue {
	struct waiting *first, **last;
	uint32_t count;
};

struct application {
	struct application *next;
	struct passing *passing;
	uint32_t number;
	bool is_away; /* it may come back */
	struct port_set ports;
	struct prefix *prefixes;
	size_t prefix_count;
	int send_fd,
		kept_fd; /* the pair's ends: ours, and a copy of the application's; -1: it is away */
	struct queue queue;
	uint32_t in_flight; /* in the pair, at most: what it takes nobody tells */
	bool is_blocked; /* it has to read first */
	struct loop_source *writable;
};

struct passing {
	struct service *service;
	struct service *fallback; /* NULL: a RST */
	struct application *applications;
	struct loop_source *timer; /* while anything waits */
	struct passing_stats stats;
	const struct app_record
		*returned; /* of the connection that is being opened: it came back; or NULL */
	struct queue *returned_to; /* with it */
};

void queue_init(struct queue *queue);
void queue_append(struct queue *queue, struct waiting *waiting);
struct waiting *queue_take(struct queue *queue); /* NULL: it is empty */
/* All of front, and then what queue had. */
void queue_put_back(struct queue *queue, struct queue *front);

/* To the fallback, or reset. It is gone then. */
void passing_give_up(struct passing *passing, struct waiting *waiting, uint64_t *counter);

/* The application that has asked for it, one that is here before one that is away; or NULL. */
struct application *application_find(struct passing *passing, const struct endpoint *local);
bool application_wants(const struct application *application, const struct endpoint *local);
bool application_is_full(struct application *application);
/* Pass on what waits, as far as it goes. */
void application_flush(struct application *application);
/* What it has not taken comes back to the front of its queue; only_older: what is older than that. */
void application_recall(struct application *application, uint64_t before_ns);
uint32_t application_in_flight(const struct application *application);
void application_free(struct application *application);

/* Called again every tenth of a second while anything waits. */
void passing_watch_time(struct passing *passing);

#endif
