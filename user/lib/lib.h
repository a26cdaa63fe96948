/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Inside libnolisten. */
#ifndef NOLISTEN_LIB_H
#define NOLISTEN_LIB_H

#include <nolisten.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app_protocol.h"

#define LIB_EXPORT __attribute__((visibility("default")))

/* What was received in one message, and is given away one by one. */
struct batch {
	uint32_t next, count;
	int fds[APP_BATCH];
	struct app_record records[APP_BATCH];
};

#define LIB_ANSWER_MS 5000

/* All but what is under the lock stays as it was opened; of parents there may be more, see lib_hear(). */
struct nolisten {
	bool is_nonblocking;
	int epoll_fd; /* what is polled: all of the following */
	int control_fd; /* readable: the loader has gone */
	int left_fd; /* an eventfd, readable while the batch has more: epoll knows nothing of memory */
	uint32_t scope_id;
	uint32_t data_count, parent_count;
	int fds[APP_DESCRIPTORS]; /* first the pairs' ends, then the parents */

	pthread_mutex_t lock;
	struct batch batch;
	uint32_t turn; /* which pair is asked first */
	bool is_short; /* of descriptors, when the last batch came */
	bool is_woken; /* somebody waits at an endpoint without a listener */
};

/* What the loader says unasked. */
void lib_hear(struct nolisten *nolisten);
/* Waits for the answer: 0, or -errno, and nolisten_why() says more. parent: of APP_OFFER. */
int lib_tell(struct nolisten *nolisten, const struct app_endpoint *endpoint, int parent);
/* What was asked for, the environment's, or the default. */
const char *lib_find_path(const char *asked);
/* A connection to a loader, or -errno, and nolisten_why() says more. */
int lib_connect_to(const char *path);
void lib_describe(const struct app_record *record, uint32_t scope_id,
		  struct nolisten_connection *out);
/*
 * An endpoint without a listener: who connects waits, until a listener is offered that gets it, or this is taken back. As
 * lib_tell().
 */
int lib_await(struct nolisten *nolisten, const struct sockaddr *local, socklen_t len, bool is_on);
/* Since the last call, has anybody come to one of these? Heard of by nolisten_accept(). */
bool lib_was_woken(struct nolisten *nolisten);
/* What why says of the thread's last failure; err is returned. */
int lib_fail(int err, const char *what, const char *why);

#endif
