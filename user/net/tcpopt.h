/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* TCP options (RFC 9293 3.1, RFC 7323, RFC 2018): bytes to struct and back, the way Linux reads them. */
#ifndef NOLISTEN_TCPOPT_H
#define NOLISTEN_TCPOPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TCPOPT_MAX_SIZE 40
#define TCPOPT_MAX_WSCALE 14

enum tcpopt_kind {
	TCPOPT_KIND_END = 0,
	TCPOPT_KIND_NOP = 1,
	TCPOPT_KIND_MSS = 2,
	TCPOPT_KIND_WSCALE = 3,
	TCPOPT_KIND_SACK_PERMITTED = 4,
	TCPOPT_KIND_TIMESTAMPS = 8,
	TCPOPT_KIND_MD5 = 19,
	TCPOPT_KIND_AO = 29,
};

struct tcpopt_layout;

struct tcp_options {
	bool has_mss, has_wscale, has_sack_permitted, has_timestamps;
	bool has_signature; /* MD5 (RFC 2385), see tcpopt_parse(); is not built */
	uint8_t wscale; /* shift count, at most 14 (RFC 7323, 2.3) */
	uint16_t mss; /* bytes, as it stood in the option; 0 counts as no option */
	uint32_t tsval, tsecr;
	const struct tcpopt_layout *layout; /* when building: the order, borrowed; NULL: Linux's */
};

/*
 * Odd options are ignored one by one as CONFORMANCE.md has it: a length of 0 or 1 or past the end stops the
 * walk, a wrong length for the kind skips the option. is_syn: MSS, window scale and SACK-permitted count on a SYN only.
 *
 * has_signature is what a socket without a key takes for one, and drops (Linux 6.18 without CONFIG_TCP_AO): an MD5 option of
 * any length; and, as long as there is room for one, an option whose length is impossible, a TCP-AO option (RFC 5925)
 * that is too short, and a second one.
 */
void tcpopt_parse(const uint8_t *bytes, size_t len, bool is_syn, struct tcp_options *out);

/*
 * Number of bytes written, padded to a multiple of 4: in Linux's order (MSS, SACK, TS, wscale), or in the layout's, without
 * what is in one of the two alone.
 */
size_t tcpopt_build(const struct tcp_options *options, uint8_t out[TCPOPT_MAX_SIZE]);

#endif
