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

/* All but what is under the lock stays as it was opened. */
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
};

/* What why says of the thread's last failure; err is returned. */
int lib_fail(int err, const char *what, const char *why);

#endif
