/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The benchmark's lab. The client has 10.99.0.1 and, by a local route, BENCH_SOURCES addresses from 10.99.64.0 on;
 * 198.18.0.0/16 (RFC 2544) is routed to it too and is where floods pretend to come from. No host has neighbours to
 * resolve.
 */
#ifndef NOLISTEN_BENCH_LAB_H
#define NOLISTEN_BENCH_LAB_H

#include <stdbool.h>

#include "lab.h"

#define BENCH_IFNAME "eth0"
#define BENCH_SERVER_ADDRESS "10.99.0.2"
#define BENCH_CLIENT_ADDRESS "10.99.0.1"
#define BENCH_FIRST_SOURCE "10.99.64.0"
#define BENCH_SOURCES 200
#define BENCH_FLOOD_PREFIX "198.18.0.0"
#define BENCH_MANY_PREFIXES "10.112.0.0/12" /* are the server's: 4096 of 24 bits */
#define BENCH_PORT 34567 /* of the server under test */
#define BENCH_OTHER_PORT 5201 /* of an unrelated one */

/*
 * Each end's packets are taken by its own CPU (receive packet steering), as a network card would have it; without, the
 * CPU that sends a packet over a veth does the receiver's work too. -errno.
 */
int bench_lab_steer(const struct lab *lab, bool is_on);

extern const struct lab_plan bench_lab_plan;

/* NAPI on the server's end of the veth, without which live frames do not reach a stack that has no native XDP. */
int bench_lab_set_gro(const struct lab *lab, bool is_on);

#endif
