/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* MSS, window and shift count of a SYN-ACK, from numbers to numbers. */
#ifndef NOLISTEN_ADVERTISE_H
#define NOLISTEN_ADVERTISE_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

#include <abi/advertised.h>

#include "host.h"

#define ADVERTISE_OFFERS (NOL_OFFER_WSCALE | NOL_OFFER_SACK | NOL_OFFER_TIMESTAMPS)

/* What a listener would have had set (--sockopt), as the kernel has it; 0: not set. */
struct advertise_limits {
	uint32_t rcvbuf; /* bytes, overhead included */
	uint32_t window_clamp;
	uint16_t mss; /* TCP_MAXSEG */
	bool is_shut; /* a window of 0, and no option but the MSS */
};

struct advertise_host {
	struct tcp_sysctls sysctls;
	struct advertise_limits limits;
	uint32_t mtu; /* of the interface */
};

/* What a kernel listener that starts now advertises over a route with these metrics. */
struct nol_advertised advertise(const struct advertise_host *host,
				const struct route_metrics *metrics, bool is_v4);
/* What it agrees to, enum nol_offer; ECN is for those alone who can give it to a socket. */
uint8_t advertise_offers(const struct tcp_sysctls *sysctls);

#endif
