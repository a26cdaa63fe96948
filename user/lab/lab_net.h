/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Links, addresses, routes and neighbours by rtnetlink, in the network namespace that the caller is in. 0 or -errno. */
#ifndef NOLISTEN_LAB_NET_H
#define NOLISTEN_LAB_NET_H

#include <stdbool.h>
#include <stdint.h>

#include "addr.h"

#define LAB_MAC_SIZE 6
#define LAB_NET_HERE -1

struct lab_link {
	uint32_t ifindex;
	uint8_t mac[LAB_MAC_SIZE];
	bool is_running; /* up, and has a carrier */
};

struct lab_veth_end {
	const char *ifname;
	const uint8_t *mac; /* NULL: the kernel's choice */
	int namespace; /* a descriptor, or LAB_NET_HERE */
};

/* Each end is made where it belongs and never was anywhere else. */
int lab_net_add_veth(const struct lab_veth_end ends[2]);
int lab_net_find(const char *ifname, struct lab_link *out);
int lab_net_set_up(uint32_t ifindex);
/* Until the link is running; it takes a moment after both ends are up. -ETIMEDOUT. */
int lab_net_await_carrier(const char *ifname, uint32_t timeout_ms);

int lab_net_add_address(uint32_t ifindex, const struct addr *addr, uint8_t bits);
int lab_net_add_route(const struct prefix *to, const struct addr *gateway);
/* What is sent there is ours. */
int lab_net_add_local(const struct prefix *to);

/* Permanent; one that is there is replaced. */
int lab_net_set_neighbour(uint32_t ifindex, const struct addr *addr,
			  const uint8_t mac[LAB_MAC_SIZE]);
/* 0 also if it was not known. */
int lab_net_forget_neighbour(uint32_t ifindex, const struct addr *addr);

#endif
