/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which SYNs ingress answers by itself, and with what. Method auto leaves to the engine those that would lose options
 * by a cookie (no timestamps) and those that are unusual, as long as it has room; method xdp leaves it only what no
 * cookie can carry.
 */
#ifndef NOLISTEN_ANSWERER_H
#define NOLISTEN_ANSWERER_H

#include <stdbool.h>
#include <stdint.h>

#include "kern.h"

struct answerer;

struct answerer_options {
	const char *ifname;
	bool has_link_header;
	enum nol_method
		method; /* NOL_METHOD_NONE: auto; others than that and NOL_METHOD_XDP: nothing */
	const uint8_t *shared_key; /* 16 bytes, or NULL: random keys */
	uint32_t max_flows;
};

/* What the SYN-ACK advertises; the windows without and with timestamps. */
struct answerer_terms {
	uint16_t mss_v4, mss_v6;
	uint16_t window_v4[2], window_v6[2];
	uint8_t wscale;
};

/* Without programs there is none: NULL is legal below, and does nothing. kern is borrowed. -EIO: no random numbers. */
int answerer_new(struct answerer **out, struct kern *kern, const struct answerer_options *options);
void answerer_free(struct answerer *answerer);

void answerer_set_terms(struct answerer *answerer, const struct answerer_terms *terms);
/*
 * From now on, after the programs are attached; in native mode once a reply has been seen to arrive. Again when
 * the link comes back: the other end may have changed.
 */
void answerer_start(struct answerer *answerer);
/* Once a second. half_open: flows in the engine; above a quarter of max_flows auto does as xdp. */
void answerer_beat(struct answerer *answerer, uint32_t half_open);

#endif
