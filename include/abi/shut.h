/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is known of a tarpit's connection beside its state. */
#ifndef NOLISTEN_SHUT_H
#define NOLISTEN_SHUT_H

/* Both sequence numbers stay what they were behind the SYNs. */
struct nol_shut {
	__u32 iss, irs;
};
_Static_assert(sizeof(struct nol_shut) == 8, "nol_shut changed its size");

/* No more than one answer in that time (Linux: tcp_invalid_ratelimit). */
#define NOL_SHUT_QUIET_MS 500
/* One that has ended is over so long after its last answer (Linux's TCP_RTO_MAX: a FIN is sent again by then). */
#define NOL_SHUT_ENDED_MS 120000

#endif
