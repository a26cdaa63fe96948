/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What differ sends to servers with socket options (--sockopt): see differ_cases.h. */
#ifndef NOLISTEN_TESTS_DIFFER_SOCKOPTS_H
#define NOLISTEN_TESTS_DIFFER_SOCKOPTS_H

#include "tools/differ_cases.h"

/* The SYN-ACK shows the MSS, the window and the shift count; the echo, in how long segments it comes. */
static const struct differ_case sockopt_cases[] = {
	{"SYN without options", "S; " ECHO_1400},
	{"SYN-ACK without options", "S"},
	{"SYN-ACK with MSS", "S mss=1460"},
	{"usual SYN-ACK", "S mss=1460 sack ts ws=7"},
	{"MSS alone", "S mss=1460; " ECHO_1400},
	{"usual SYN", "S mss=1460 sack ts ws=7; ~P. +1 ^1 ts len=1400"},
	{"without timestamps", "S mss=1460 sack ws=7; " ECHO_1400},
	{"small MSS", "S mss=536 sack ts ws=7; ~P. +1 ^1 ts len=1400"},
};

static const struct differ_case defer_cases[] = {
	{"bare ACK, then data", "S mss=1460; . +1 ^1; " ECHO_5},
	{"two bare ACKs, then data", "S mss=1460; . +1 ^1; . +1 ^1; " ECHO_5},
	{"bare ACK and data at once", "S mss=1460; ~. +1 ^1 & P. +1 ^1 len=5"},
	{"data in the final ACK", "S mss=1460; " ECHO_5},
	{"bare ACK, then FIN", "S mss=1460; . +1 ^1; ~F. +1 ^1"},
	{"bare ACK, then RST", "S mss=1460; . +1 ^1; R +1; . +1 ^1"},
	{"bare ACK, then the SYN again", "S mss=1460; . +1 ^1; S mss=1460; " ECHO_5},
	{"wrong ACK", "S mss=1460; . +1 ^9; " ECHO_5},
};

#endif
