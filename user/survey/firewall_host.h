/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The rules of this network namespace: nftables' by libnftables, those of iptables by its own word. */
#ifndef NOLISTEN_FIREWALL_HOST_H
#define NOLISTEN_FIREWALL_HOST_H

#include "firewall.h"

/*
 * 0; -EPROTONOSUPPORT: the kernel has no netfilter; or -errno: *why, of size bytes, tells. Some rules may be there all the same.
 */
int firewall_read_host(struct firewall *firewall, char *why, size_t size);

#endif
