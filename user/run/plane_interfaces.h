/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* On which interfaces connections may come in. */
#ifndef NOLISTEN_PLANE_INTERFACES_H
#define NOLISTEN_PLANE_INTERFACES_H

#include <net/if.h>
#include <stddef.h>

struct interface_name {
	char text[IF_NAMESIZE];
};

/*
 * list: "lo,eth0"; NULL: those that are up and have an IP address. *out is the caller's to free(). -errno, logged: one of the list is
 * none, or there is none at all.
 */
int plane_interfaces_find(struct interface_name **out, size_t *count, const char *list);

#endif
