/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a SYN cookie has agreed to: read from it by ingress, kept in the held packet, taken by the engine. */
#ifndef NOLISTEN_TERMS_H
#define NOLISTEN_TERMS_H

/*
 * CLOCK_MONOTONIC in milliseconds, the clock of every TSval. Without a division, which costs more than the rest of a cookie
 * on some machines; BPF and user space both count by this, so that a TSval never goes back between them. It is 4 ms a year
 * fast.
 */
static inline __u32 nol_clock_ms(__u64 ns)
{
	const __u64 factor = 2251799814; /* 2^51 / 10^6, rounded */

	return (__u32)(((ns >> 32) * factor + ((ns & 0xffffffff) * factor >> 32)) >> 19);
}

#define NOL_LONGEST_RTT_MS 1000 /* RFC 6298, 2.1 */

/*
 * The TSval with which a connection goes on whose cookie is echoed, now: by our clock, but not before the echo, or PAWS drops
 * all that we send: the cookie may be of a machine whose clock is ahead. The socket takes its distance from the echo for the RTT,
 * which is not to be longer than the one that is assumed when none is known: a remote may echo any moment of the cookie's
 * life, and an RTO of two minutes would keep what is left of the connection for half an hour.
 */
static inline __u32 nol_tsval_after(__u32 tsecr, __u32 now)
{
	const __u32 since_ms = now - tsecr;

	if (since_ms >> 31)
		return tsecr;
	return tsecr + (since_ms < NOL_LONGEST_RTT_MS ? since_ms : NOL_LONGEST_RTT_MS);
}

enum nol_term {
	NOL_TERM_TIMESTAMPS = 1,
	NOL_TERM_SACK = 2,
	NOL_TERM_WSCALE = 4,
	NOL_TERM_ECN = 8,
	NOL_TERM_PROBE =
		16, /* the segment that brought the cookie is a window probe: its SEQ is the ISN, not the one behind */
};

struct nol_terms {
	__u32 ts_offset; /* the TSvals of this connection are nol_clock_ms() plus this */
	__u16 mss; /* the remote's, rounded down */
	__u8 wscale; /* the remote's shift count */
	__u8 options; /* enum nol_term */
};
_Static_assert(sizeof(struct nol_terms) == 8, "nol_terms changed its size");

#endif
