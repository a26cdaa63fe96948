/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * An interface as rtnetlink shows it: name, type, MTU, up or down, addresses; and word of every change.
 */
#ifndef NOLISTEN_LINK_WATCH_H
#define NOLISTEN_LINK_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "addr.h"

struct link_info {
	uint32_t ifindex;
	uint32_t mtu; /* 0: not told (news of a wireless device alone) */
	bool is_up; /* IFF_UP */
	bool is_loopback;
	uint16_t vlan_id; /* 802.1Q; 0: none. Found by link_find() alone */
	bool has_link_header; /* Ethernet or loopback: 14 bytes before the IP header */
};

enum link_event {
	LINK_CHANGED, /* *info is new */
	LINK_GONE,
	LINK_ADDR_ADDED, /* *addr; it may have been reported before */
	LINK_ADDR_REMOVED,
};

typedef void (*link_fn)(void *context, enum link_event event, const struct link_info *info,
			const struct addr *addr);

/* -ENODEV: no such interface; -EPFNOSUPPORT: neither Ethernet, loopback nor an L3 device. */
int link_find(const char *ifname, struct link_info *out);

struct link_watch;

/*
 * Subscribes first, then reports every address there is as LINK_ADDR_ADDED, so that none is missed. is_of_host: those of other
 * interfaces as well, but for such as mean something there alone (loopback and link-local ones).
 */
int link_watch_new(struct link_watch **out, uint32_t ifindex, bool is_of_host, link_fn fn,
		   void *context);
void link_watch_free(struct link_watch *watch);
int link_watch_fd(const struct link_watch *watch);
/* Report what is waiting, without blocking. 0 or -errno. */
int link_watch_read(struct link_watch *watch);

/* Would the kernel deliver a packet for this address to itself (RTN_LOCAL)? */
int link_is_local(const struct addr *addr, bool *out);

#endif
