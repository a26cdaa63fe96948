/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* ICMP errors about a half-open connection, for differ: see differ_cases.h. The ACK that follows tells whether it is there. */
#ifndef NOLISTEN_TESTS_DIFFER_ICMP_H
#define NOLISTEN_TESTS_DIFFER_ICMP_H

#include "tools/differ_cases.h"

#define ICMP(name, error, family)                                               \
	{                                                                       \
		name, "S mss=1460; - ^0 icmp=" error "; P. +1 ^1 len=5", family \
	}
/* It goes on: a socket and a service answer. */
#define IGNORED(name, words, family)                             \
	{                                                        \
		name, "S mss=1460; - " words "; " ECHO_5, family \
	}

static const struct differ_case icmp_cases[] = {
	ICMP("net unreachable", "3/0", '4'),
	ICMP("host unreachable", "3/1", '4'),
	IGNORED("protocol unreachable", "^0 icmp=3/2", '4'),
	IGNORED("port unreachable", "^0 icmp=3/3", '4'),
	IGNORED("fragmentation needed", "^0 icmp=3/4", '4'),
	IGNORED("source route failed", "^0 icmp=3/5", '4'),
	IGNORED("prohibited", "^0 icmp=3/13", '4'),
	ICMP("TTL exceeded", "11/0", '4'),
	IGNORED("reassembly time exceeded", "^0 icmp=11/1", '4'),
	ICMP("parameter problem", "12/0", '4'),
	IGNORED("source quench", "^0 icmp=4/0", '4'),
	IGNORED("redirect", "^0 icmp=5/1", '4'),
	IGNORED("host unreachable, behind the SYN-ACK", "^1 icmp=3/1", '4'),
	IGNORED("host unreachable, before the SYN-ACK", "^-1 icmp=3/1", '4'),
	IGNORED("host unreachable, bad checksum", "^0 icmp=3/1 badsum", '4'),
	IGNORED("no route", "^0 icmp=1/0", '6'),
	ICMP("prohibited", "1/1", '6'),
	IGNORED("beyond scope", "^0 icmp=1/2", '6'),
	IGNORED("address unreachable", "^0 icmp=1/3", '6'),
	ICMP("port unreachable", "1/4", '6'),
	ICMP("policy failed", "1/5", '6'),
	ICMP("route rejected", "1/6", '6'),
	IGNORED("packet too big", "^0 icmp=2/0", '6'),
	IGNORED("hop limit exceeded", "^0 icmp=3/0", '6'),
	ICMP("parameter problem", "4/1", '6'),
	IGNORED("port unreachable, behind the SYN-ACK", "^1 icmp=1/4", '6'),
	IGNORED("port unreachable, before the SYN-ACK", "^-1 icmp=1/4", '6'),
	IGNORED("port unreachable, bad checksum", "^0 icmp=1/4 badsum", '6'),
};

#endif
