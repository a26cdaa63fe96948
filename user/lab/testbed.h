/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The benchmark's laboratory: two network namespaces without a name, joined by a veth whose ends are both called
 * eth0. They live as long as the descriptors do, so that nothing is left behind however the process ends.
 *
 * The client has 10.99.0.1 and, by a local route, TESTBED_SOURCES addresses from 10.99.64.0 on; 198.18.0.0/16
 * (RFC 2544) is routed to it too and is where floods pretend to come from. No host has neighbours to resolve.
 */
#ifndef NOLISTEN_TESTBED_H
#define NOLISTEN_TESTBED_H

#include <stdbool.h>
#include <stdint.h>

#define TESTBED_IFNAME "eth0"
#define TESTBED_SPARE "spare0" /* of the client: leads nowhere */
#define TESTBED_SERVER_ADDRESS "10.99.0.2"
#define TESTBED_CLIENT_ADDRESS "10.99.0.1"
#define TESTBED_FIRST_SOURCE "10.99.64.0"
#define TESTBED_SOURCES 200
#define TESTBED_FLOOD_PREFIX "198.18.0.0"
#define TESTBED_PORT 34567 /* of the server under test */
#define TESTBED_OTHER_PORT 5201 /* of an unrelated one */

enum testbed_role {
	TESTBED_OUTSIDE, /* where the process came from */
	TESTBED_SERVER,
	TESTBED_CLIENT,
	TESTBED_ROLES,
};

struct testbed {
	int ns_fds[TESTBED_ROLES];
	uint32_t ifindexes[TESTBED_ROLES];
	uint32_t spare_ifindex;
	uint8_t macs[TESTBED_ROLES][6];
	int cpus[TESTBED_ROLES]; /* server: the last that we may use; client: the first */
};

/* Errors are logged. testbed_close() is legal after a failure. */
int testbed_open(struct testbed *lab);
void testbed_close(struct testbed *lab);

/* The calling thread moves; 0 or -errno. */
int testbed_enter(const struct testbed *lab, enum testbed_role role);

/* In the namespace that the caller is in: net.ipv4.tcp_syncookies and so on, with slashes. */
int testbed_set_sysctl(const char *name, const char *value);
/* NAPI on the server's end of the veth, without which live frames do not reach a stack that has no native XDP. */
int testbed_set_gro(const struct testbed *lab, bool is_on);

#endif
