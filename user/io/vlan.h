/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The devices that the kernel has for the VLANs of an interface. */
#ifndef NOLISTEN_VLAN_H
#define NOLISTEN_VLAN_H

#include <net/if.h>
#include <stdint.h>

#define VLAN_ID_MAX 4094 /* IEEE 802.1Q; the first is 1 */

/* The name of the 802.1Q device with that VLAN ID on top of the interface. -ENODEV: there is none in this namespace. */
int vlan_find(uint32_t ifindex, uint16_t id, char ifname[IF_NAMESIZE]);

/* The same, on the interface of that name; what is wrong is logged. */
int vlan_find_named(const char *below, uint32_t ifindex, uint16_t id, char ifname[IF_NAMESIZE]);

#endif
