/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What of the host's settings shows in a SYN-ACK: sysctls of its network namespace, and metrics of its routes. */
#ifndef NOLISTEN_HOST_H
#define NOLISTEN_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "addr.h"

/* No padding: two of them are compared as bytes. */
struct tcp_sysctls {
	uint32_t rmem_default, rmem_max; /* tcp_rmem */
	uint32_t core_rmem_max;
	/* How much of a buffer is for data: from Linux 6.6 on so many 256ths; 0: tcp_adv_win_scale says. */
	uint32_t scaling_ratio;
	int32_t adv_win_scale;
	uint32_t signed_windows; /* tcp_workaround_signed_windows */
	uint32_t timestamps, sack, window_scaling;
	uint32_t ecn; /* tcp_ecn; 0: not even when a SYN asks for it */
	uint32_t synack_retries;
	uint32_t min_adv_mss_v4, min_adv_mss_v6;
	uint32_t mtu_v6; /* of the interface; 0: its own */
};

/* 0: the route has none. */
struct route_metrics {
	uint32_t mtu, advmss, window, initrwnd;
	bool has_ecn; /* features ecn */
};

struct host_route {
	struct prefix prefix;
	uint8_t rank; /* of its table: a route of table 0 is taken before any of table 1 is looked at */
	uint32_t priority; /* of several to the same prefix the lowest counts */
	struct route_metrics metrics;
};

#endif
