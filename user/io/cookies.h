/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which SYNs ingress answers by itself, and with what. Method auto leaves to the engine those that would lose options
 * by a cookie (no timestamps) and those that are unusual, as long as it has room; method xdp leaves it only what no
 * cookie can carry.
 */
#ifndef NOLISTEN_COOKIES_H
#define NOLISTEN_COOKIES_H

#include <stdbool.h>
#include <stdint.h>

#include "kern.h"

struct cookies;

struct cookies_options {
	const char *ifname;
	bool has_link_header;
	enum nol_method
		method; /* NOL_METHOD_NONE: auto; others than that and NOL_METHOD_XDP: nothing */
	const uint8_t *shared_key; /* 16 bytes, or NULL: random keys */
	uint32_t max_flows;
};

/* What the SYN-ACK advertises; the windows without and with timestamps. */
struct cookies_advertised {
	uint16_t mss_v4, mss_v6;
	uint16_t window_v4[2], window_v6[2];
	uint8_t wscale;
};

/* Without programs there is none: NULL is legal below, and does nothing. kern is borrowed. -EIO: no random numbers. */
int cookies_new(struct cookies **out, struct kern *kern, const struct cookies_options *options);
void cookies_free(struct cookies *cookies);

void cookies_advertise(struct cookies *cookies, const struct cookies_advertised *advertised);
/*
 * From now on, after the programs are attached; in native mode once a reply has been seen to arrive. Again when
 * the link comes back: the other end may have changed.
 */
void cookies_start(struct cookies *cookies);
/* Once a second. half_open: flows in the engine; above a quarter of max_flows auto does as xdp. */
void cookies_beat(struct cookies *cookies, uint32_t half_open);

#endif
