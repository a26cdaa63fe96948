/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* HOST:PORT[,HOST:PORT...]: where forward goes. */
#ifndef NOLISTEN_FORWARD_SPEC_H
#define NOLISTEN_FORWARD_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "addr.h"

#define FORWARD_TARGETS_MAX 64

/* An address of one of the hosts. */
struct target {
	struct sockaddr_storage sockaddr;
	socklen_t sockaddr_len;
	uint64_t failed_until_ns; /* the others come first until then; CLOCK_MONOTONIC */
	bool is_down; /* it failed the last time, and people have been told */
};

struct target_list {
	struct target all[FORWARD_TARGETS_MAX];
	size_t count;
};

/* Is it well-formed? Names are not looked up. -EINVAL: *error, a constant text, says how it is not. */
int forward_spec_check(const char *spec, const char **error);
/*
 * The same, and all addresses of all hosts, in their order, by getaddrinfo(3), which may take time. -EINVAL: *error, a text that is good
 * until the next call, says of whom there are none; -ENOMEM.
 */
int forward_spec_resolve(const char *spec, struct target_list *out, const char **error);

/*
 * The next from first on that was not tried (bit 1 << target), those that have failed lately last. list->count: there is
 * none.
 */
size_t target_choose(const struct target_list *list, size_t first, uint64_t tried, uint64_t now_ns);
void target_endpoint(const struct target *target, struct endpoint *out);

#endif
