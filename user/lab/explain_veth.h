/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A veth pair by netlink. */
#ifndef NOLISTEN_EXPLAIN_VETH_H
#define NOLISTEN_EXPLAIN_VETH_H

/* One end in the caller's network namespace, the other in that of the descriptor, both of that name. 0 or -errno. */
int veth_make(const char *ifname, int other_namespace);

#endif
