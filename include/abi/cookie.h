/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a SYN cookie is, and what ingress has to know to make one and to open it. */
#ifndef NOLISTEN_COOKIE_ABI_H
#define NOLISTEN_COOKIE_ABI_H

#include "advertised.h"

#define NOL_COOKIE_FORMAT 1 /* of all that is in this file, see NOL_ABI */

/* Which SYNs ingress answers itself. */
enum nol_answer {
	NOL_ANSWER_NONE,
	NOL_ANSWER_PLAIN, /* those with nothing odd about them */
	NOL_ANSWER_ALL, /* those that a cookie can carry at all */
};

/*
 * SYN cookies. The options that a SYN offers are a number, the code: ((class * 16 + window scale) * 2 + SACK), and with
 * has_ecn that * 2 + ECN; the class is that of the MSS (mss.h), counted from the smallest of the family, a window scale of 15 is
 * none. SipHash-2-4 with the key of the time slot is over the remote's address, the local one, the remote port, the local one
 * (16 bits each) and the remote's ISN (32 bits), numbers in little-endian order: 2 words for IPv4, 5 for IPv6. The word that SipHash
 * adds, for messages of different lengths, is left out; instead the families end in other constants. Of its 64 bits
 * the low 30 plus the code * NOL_COOKIE_SPREAD are the upper 30 of the ISS, whose low 2 are the slot modulo 4. The upper 32 are
 * this connection's own part of its ts_offset.
 *
 * So options are not hashed: whoever changes the code has changed what he has offered. But each code is a number that is
 * valid, which is why a slot has its count of them.
 *
 * Slot s is hashed with key s % 4 of a set: user space can write the key and the count of the next slot while nobody reads
 * them. Cookies of `newest` and of the slot before are valid; of the two slots before these it can still be told that they
 * have expired.
 *
 * One set makes cookies, all that are open are asked for those that come back: when machines share a key, the next one is
 * opened everywhere before any of them makes cookies with it, and the last one for as long as its cookies live.
 */
#define NOL_COOKIE_SETS 4
#define NOL_COOKIE_SLOT_BITS 2
#define NOL_COOKIE_SLOTS (1 << NOL_COOKIE_SLOT_BITS)
#define NOL_COOKIE_SLOT_S 64
/* A slot is accepted so long before it is used: the clocks of machines that share a key may differ by that much. */
#define NOL_COOKIE_EARLY_S 4

/*
 * What acknowledges the first bytes of ours as well is no other cookie: valid codes are as far apart as the golden ratio
 * puts them, the next one 64 KB away at least. The second undoes the first, modulo 2^30.
 */
#define NOL_COOKIE_SPREAD 0x0ec0db65u
#define NOL_COOKIE_GATHER 0x278dde6du

#define NOL_COOKIE_KIND_V4 0xff
#define NOL_COOKIE_KIND_V6 0xdd

#define NOL_COOKIE_WSCALE_BITS 4
#define NOL_COOKIE_NO_WSCALE 15
#define NOL_COOKIE_CLASS_SHIFT (NOL_COOKIE_WSCALE_BITS + 1) /* of the code without ECN */

/* nol_cookie, one entry. Written by user space only. */
struct nol_cookie {
	__u16 codes_v4[NOL_COOKIE_SLOTS], codes_v6[NOL_COOKIE_SLOTS]; /* how many there are */
	__u32 newest; /* the newest slot that is accepted; 0: no cookies */
	__u32 slot; /* of the cookies that are sent */
	__u32 ts_offset; /* added to every connection's own */
	enum nol_answer answer;
	struct nol_advertised v4, v6; /* to remotes that nol_routes does not have */
	__u8 offers; /* enum nol_offer: what is agreed to, the MSS aside */
	__u8 has_routes; /* 1: nol_routes is to be asked */
	/* Classes of the cookies that are sent, at least 1: above the last one no MSS makes a difference here. */
	__u8 classes_v4, classes_v6;
	__u8 has_ecn; /* codes have a place for ECN: 0 where nobody can give it to the socket. Never changes */
	__u8 exact_in_window; /* so many TSvals; the others are by a coarse clock, a jiffy late at most */
	/* Somebody guesses: who has no timestamps, which are hard to guess, gets nothing but an MSS, and has fewer codes. */
	__u8 is_wary;
	__u8 making; /* the set of the cookies that are sent */
	__u64 keys[NOL_COOKIE_SETS][NOL_COOKIE_SLOTS][2];
	__u8 is_open[NOL_COOKIE_SETS]; /* by set; 1: its cookies are accepted */
	__u8 format; /* NOL_COOKIE_FORMAT */
	__u8 pad[3];
};
_Static_assert(sizeof(struct nol_cookie) == 328, "nol_cookie changed its size");

/* A value of nol_clock, one a CPU: when a jiffy's first packet came, and how many TSvals of this window were by the exact clock. */
#define NOL_CLOCK_WINDOW_NS 4000000ull
struct nol_clock {
	__u64 jiffies;
	__u64 now_ns; /* at some time of that jiffy */
	__u64 since_ns; /* the window's beginning */
	__u32 taken;
	__u32 pad;
};
_Static_assert(sizeof(struct nol_clock) == 32, "nol_clock changed its size");

#endif
