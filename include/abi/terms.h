/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a SYN cookie has agreed to: read from it by ingress, kept in the held packet, taken by the engine. */
#ifndef NOLISTEN_TERMS_H
#define NOLISTEN_TERMS_H

/* A cookie's TSval is CLOCK_MONOTONIC in units of 2^20 ns (1.05 ms, see RFC 7323, 5.4), plus ts_offset. */
#define NOL_COOKIE_TS_SHIFT 20
/* In its low bits it carries options: it is up to that much earlier than the clock. */
#define NOL_COOKIE_TS_BITS 0x1fu

enum nol_term {
	NOL_TERM_TIMESTAMPS = 1,
	NOL_TERM_SACK = 2,
	NOL_TERM_WSCALE = 4,
};

struct nol_terms {
	__u32 ts_offset; /* see above */
	__u16 mss; /* the remote's, rounded down */
	__u8 wscale; /* the remote's shift count */
	__u8 options; /* enum nol_term */
};
_Static_assert(sizeof(struct nol_terms) == 8, "nol_terms changed its size");

#endif
