/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Do frames that XDP sends back really leave? The driver's counters do not tell: a veth counts what it then throws
 * away. So a neighbour is asked by frames that take the very same way, and its answer is the proof: an ICMPv6
 * echo request to all nodes, and ARP probes (RFC 5227) for the IPv4 neighbours that the kernel knows.
 */
#ifndef NOLISTEN_REPLY_PROBE_H
#define NOLISTEN_REPLY_PROBE_H

#include <stdbool.h>

#include "kern.h"

struct reply_probe;

/* kern is borrowed, and natively attached to an Ethernet device. -errno of the sockets. */
int reply_probe_new(struct reply_probe **out, struct kern *kern, const char *ifname);
void reply_probe_free(struct reply_probe *probe);
/* Ask; nobody to ask is no error. */
void reply_probe_send(struct reply_probe *probe);
/* Has somebody answered? Waits timeout_ms at most. */
bool reply_probe_is_answered(struct reply_probe *probe, int timeout_ms);

#endif
