/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The benchmark's laboratory: two network namespaces without a name, joined by a veth whose ends are both called
 * eth0. They live as long as the descriptors do, so that nothing is left behind however the process ends.
 *
 * The client has 10.99.0.1 and, by a local route, LAB_SOURCES addresses from 10.99.64.0 on; 198.18.0.0/16
 * (RFC 2544) is routed to it too and is where floods pretend to come from. No host has neighbours to resolve.
 */
#ifndef NOLISTEN_LAB_H
#define NOLISTEN_LAB_H

#include <stdbool.h>
#include <stdint.h>

#define LAB_IFNAME "eth0"
#define LAB_SPARE "spare0" /* of the client: leads nowhere */
#define LAB_SERVER_ADDRESS "10.99.0.2"
#define LAB_CLIENT_ADDRESS "10.99.0.1"
#define LAB_FIRST_SOURCE "10.99.64.0"
#define LAB_SOURCES 200
#define LAB_FLOOD_PREFIX "198.18.0.0"
#define LAB_PORT 34567 /* of the server under test */
#define LAB_OTHER_PORT 5201 /* of an unrelated one */

enum lab_role {
	LAB_OUTSIDE, /* where the process came from */
	LAB_SERVER,
	LAB_CLIENT,
	LAB_ROLES,
};

struct lab {
	int ns_fds[LAB_ROLES];
	uint32_t ifindexes[LAB_ROLES];
	uint32_t spare_ifindex;
	uint8_t macs[LAB_ROLES][6];
	int cpus[LAB_ROLES]; /* server: the last that we may use; client: the first */
};

/* Errors are logged. lab_close() is legal after a failure. */
int lab_open(struct lab *lab);
void lab_close(struct lab *lab);

/* The calling thread moves; 0 or -errno. */
int lab_enter(const struct lab *lab, enum lab_role role);

/* In the namespace that the caller is in: net.ipv4.tcp_syncookies and so on, with slashes. */
int lab_set_sysctl(const char *name, const char *value);
/* NAPI on the server's end of the veth, without which live frames do not reach a stack that has no native XDP. */
int lab_set_gro(const struct lab *lab, bool is_on);

#endif
