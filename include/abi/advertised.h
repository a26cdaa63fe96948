/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a SYN-ACK says of our end, as the host's settings and the route to the remote have it. */
#ifndef NOLISTEN_ADVERTISED_H
#define NOLISTEN_ADVERTISED_H

/* What a SYN offers, as bits. */
enum nol_offer {
	NOL_OFFER_MSS = 1,
	NOL_OFFER_WSCALE = 2,
	NOL_OFFER_SACK = 4,
	NOL_OFFER_TIMESTAMPS = 8,
	NOL_OFFER_ECN = 16, /* by the flags: ECE and CWR */
};

struct nol_advertised {
	__u16 mss;
	__u16 path_mss; /* what has room on the way there: the remote's own MSS counts up to this */
	__u16 window
		[2]; /* without and with timestamps; never scaled in a SYN-ACK (RFC 7323, 2.2) */
	__u8 wscale; /* our shift count */
	__u8 has_ecn; /* the route asks for it, whatever tcp_ecn is */
	__u8 pad[2];
};
_Static_assert(sizeof(struct nol_advertised) == 12, "nol_advertised changed its size");

#endif
