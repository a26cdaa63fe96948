/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* nolisten connect: names to addresses, one active open after the other until one succeeds. */
#ifndef NOLISTEN_CONNECT_H
#define NOLISTEN_CONNECT_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "addr.h"
#include "engine.h"

struct connect_options {
	const char *host, *port; /* a name or an address; a number or a service */
	int family; /* AF_INET, AF_INET6, or AF_UNSPEC */
	bool has_source;
	struct endpoint source; /* port 0: any; the address counts with has_source */
	uint32_t ifindex; /* to leave by; 0: by the routes */
	uint64_t timeout_s; /* of each address; 0: until the last SYN has waited */
	struct engine_syn syn;
	bool is_verbose;
};

struct opener;

struct connected {
	int fd; /* non-blocking, above standard error */
	struct tuple tuple;
	struct loop *loop;
	struct opener
		*opener; /* its packet socket takes the kernel milliseconds to close: for the end */
};

/* 0, or -errno of the last address, logged; -EINTR: SIGINT or SIGTERM, in *signal; nothing is logged then. */
int connect_open(const struct connect_options *options, struct connected *out, int *signal);
void connect_close(struct connected *connected);

#endif
