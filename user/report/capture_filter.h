/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which packets are captured, in tcpdump's language. Compiled and run by libpcap; the only place that knows it. */
#ifndef NOLISTEN_CAPTURE_FILTER_H
#define NOLISTEN_CAPTURE_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "pcapng.h"

#define CAPTURE_FILTER_WHY 256

struct capture_filter;

/* -EINVAL: why has one line. */
int capture_filter_new(struct capture_filter **out, const char *expression, enum pcapng_link link,
		       char why[CAPTURE_FILTER_WHY]);
bool capture_filter_takes(const struct capture_filter *filter, const uint8_t *frame,
			  uint32_t snap_len, uint32_t frame_len);
void capture_filter_free(struct capture_filter *filter); /* NULL is legal */

/* Does it compile for one of the link types? */
bool capture_filter_check(const char *expression, char why[CAPTURE_FILTER_WHY]);

#endif
