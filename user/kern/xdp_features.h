/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the driver of an interface says that it can (netdev family of generic netlink, Linux 6.3). */
#ifndef NOLISTEN_XDP_FEATURES_H
#define NOLISTEN_XDP_FEATURES_H

#include <stdbool.h>
#include <stdint.h>

/* Has it native XDP? -EOPNOTSUPP: the kernel does not tell. */
int xdp_features_native(uint32_t ifindex, bool *out);

#endif
