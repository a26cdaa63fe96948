/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The options of a SYN in an order of one's own: what p0f calls the option layout. */
#ifndef NOLISTEN_TCPOPT_LAYOUT_H
#define NOLISTEN_TCPOPT_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "tcpopt.h"

struct tcpopt_layout {
	uint8_t count;
	uint8_t kinds[TCPOPT_MAX_SIZE]; /* enum tcpopt_kind */
};

enum tcpopt_layout_error {
	TCPOPT_LAYOUT_OK,
	TCPOPT_LAYOUT_UNKNOWN, /* a word that is none of them */
	TCPOPT_LAYOUT_TWICE, /* mss, sok, ts or ws */
	TCPOPT_LAYOUT_LONG, /* more than 40 bytes */
	TCPOPT_LAYOUT_BEHIND_END, /* an option behind eol */
};

/* "mss,sok,ts,nop,ws", also eol; "none" is a layout of nothing. *out is left alone on failure. */
enum tcpopt_layout_error tcpopt_layout_parse(const char *text, struct tcpopt_layout *out);

bool tcpopt_layout_has(const struct tcpopt_layout *layout, enum tcpopt_kind kind);

/* Can it be built? What came from somewhere else than tcpopt_layout_parse(). */
enum tcpopt_layout_error tcpopt_layout_check(const struct tcpopt_layout *layout);

#endif
