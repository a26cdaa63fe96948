/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What of a SYN tells who sent it: window, TTL, and the order of its options. */
#ifndef NOLISTEN_SYN_PRINT_H
#define NOLISTEN_SYN_PRINT_H

#include <stdint.h>

#include "segment.h"

#define SYN_PRINT_OPTIONS 24

struct syn_print {
	uint16_t window; /* as on the wire */
	uint16_t mss; /* bytes; 0: no such option */
	uint8_t ttl; /* IPv4 TTL or IPv6 hop limit, as it arrived; 0: there was no SYN */
	uint8_t wscale; /* shift count as agreed to, at most 14; 255: no such option */
	uint8_t option_count; /* all of them; of more than SYN_PRINT_OPTIONS the first are kept */
	uint8_t options
		[SYN_PRINT_OPTIONS]; /* their kinds, in order, NOPs and the end of the list too */
};

/* segment: a SYN, as parsed. */
void syn_print_take(struct syn_print *out, const struct segment *segment);

#endif
