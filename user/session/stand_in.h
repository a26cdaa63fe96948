/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * While the engine opens a connection, a socket stands in for the one that will be made of it: it has the 4-tuple, so that nobody
 * else takes it and no kernel, loader or guard takes its packets for strays; and it is deaf, so that nothing answers them.
 */
#ifndef NOLISTEN_STAND_IN_H
#define NOLISTEN_STAND_IN_H

#include <stdbool.h>
#include <stdint.h>

#include "addr.h"

struct stand_in {
	int fd; /* -1: there is none. To close it sends nothing, whatever the remote believes */
	uint32_t scope_id; /* the interface of link-local addresses */
	bool needs_freebind; /* the address is local and no interface's; set by stand_in_bind() */
};

#define STAND_IN_NONE ((struct stand_in){.fd = -1})

/*
 * Binds it to the local end, whose port is chosen if it is 0. -EADDRNOTAVAIL: not an address of this host;
 * -EADDRINUSE: another socket has the port; -EACCES: a low port. Nothing is left on failure.
 */
int stand_in_bind(struct stand_in *out, struct endpoint *local, uint32_t scope_id);
/* -EADDRNOTAVAIL: the 4-tuple is in use, or was a minute ago; -EPERM without CAP_NET_ADMIN. */
int stand_in_connect(struct stand_in *stand_in, const struct endpoint *remote);
/*
 * Lets another socket have the 4-tuple as well. It hears on, of what comes in by that interface, until that socket is there.
 */
void stand_in_make_way(const struct stand_in *stand_in, uint32_t ifindex);
void stand_in_close(struct stand_in *stand_in);

#endif
