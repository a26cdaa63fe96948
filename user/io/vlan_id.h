/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a device's own description says of its VLAN. */
#ifndef NOLISTEN_VLAN_ID_H
#define NOLISTEN_VLAN_ID_H

#include <stdint.h>

struct nlmsghdr;

/* The 802.1Q VLAN ID of the device that an RTM_NEWLINK is about; 0: it is no such device. */
uint16_t vlan_id_of(const struct nlmsghdr *message);

#endif
