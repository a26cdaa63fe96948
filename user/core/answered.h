/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The addresses that are answered: those of the interface, followed as they come and go, or the prefixes of --address.
 */
#ifndef NOLISTEN_ANSWERED_H
#define NOLISTEN_ANSWERED_H

#include <stdbool.h>
#include <stddef.h>

#include "addr.h"
#include "gate.h"

struct answered;

/* gate is borrowed, and told of every change. */
int answered_new(struct answered **out, struct gate *gate);
void answered_free(struct answered *answered);

/*
 * An address of the interface came or went. Link-local, loopback and global ones are all answered. What goes wrong is
 * logged; what changes too, if it is to be told.
 */
void answered_follow(struct answered *answered, const char *ifname, const struct addr *addr,
		     bool is_there, bool is_told);

/*
 * A prefix of --address. The kernel has to deliver it locally, or the packets of handed-off connections would be
 * forwarded or dropped: -EADDRNOTAVAIL is logged with the route that is needed.
 */
int answered_add_prefix(struct answered *answered, const struct prefix *prefix, const char *ifname);

/*
 * These in place of those that there are, as --address has them. -errno, logged: the old ones still are answered.
 */
int answered_set_prefixes(struct answered *answered, const struct prefix *prefixes, size_t count,
			  const char *ifname);
/* 127.0.0.0/8: every address of it is local, whichever of them lo has. */
int answered_add_loopback(struct answered *answered, const char *ifname);

/* All of them; valid until one comes or goes. */
const struct prefix *answered_all(const struct answered *answered, size_t *count);
/* "10.0.0.2, fd00::2", cut with "..." if it does not fit; "no address" if there is none. */
void answered_format(const struct answered *answered, char *text, size_t size);

#endif
