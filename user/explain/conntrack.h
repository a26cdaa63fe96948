/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Whose is a connection by conntrack's table? */
#ifndef NOLISTEN_CONNTRACK_H
#define NOLISTEN_CONNTRACK_H

#include <linux/types.h>

#include <abi/abi.h>

#include "addr.h"

/*
 * The end that packets from the key's remote to its local end are for, after NAT: the local end itself where none is done.
 * fd: of NETLINK_NETFILTER. -ENOENT: there is no entry; another -errno: the kernel does not say.
 */
int conntrack_find_owner(int fd, const struct nol_flow_key *key, struct endpoint *owner);

#endif
