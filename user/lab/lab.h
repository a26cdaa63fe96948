/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A laboratory: two network namespaces joined by a veth, a server's and a client's. They have no names and live as long
 * as the descriptors and the processes in them do: however it ends, nothing is left behind.
 */
#ifndef NOLISTEN_LAB_H
#define NOLISTEN_LAB_H

#include <stdbool.h>
#include <stdint.h>

#include "lab_net.h"

enum lab_place {
	LAB_HOME, /* where the process came from */
	LAB_SERVER,
	LAB_CLIENT,
	LAB_PLACES,
};

/* What belongs to one place. Lists are ended by a NULL. */
struct lab_end {
	const char *address; /* IPv4, of the end of the veth: "10.0.0.2" */
	const char *mac; /* "02:00:00:00:00:02"; NULL: the kernel's choice */
	const char *const *routed; /* prefixes that lie behind the other end */
	const char *const *local; /* prefixes that are this end's, beside the address */
	const struct lab_sysctl *sysctls;
};

/* net/ipv4/tcp_syncookies and so on, with slashes. */
struct lab_sysctl {
	const char *name, *value;
};

struct lab_plan {
	const char *who; /* in front of each message: "bench: " */
	const char *ifname; /* of both ends */
	const char *spare; /* a link of the client's that leads nowhere; NULL: none */
	uint8_t prefix_bits; /* of both addresses */
	bool knows_neighbours; /* no address is ever asked for */
	struct lab_end ends[LAB_PLACES];
};

struct lab {
	const struct lab_plan *plan;
	int namespaces[LAB_PLACES]; /* descriptors; -1: none */
	struct lab_link links[LAB_PLACES]; /* the ends of the veth */
	uint32_t spare_ifindex;
	int cpus[LAB_PLACES]; /* server: the last that we may use; client, home: the first */
};

/* No lab: lab_close() may have it. */
#define LAB_NONE                             \
	{                                    \
		.namespaces = { -1, -1, -1 } \
	}

/* The caller stays where it is; the veth has its carrier. Errors are logged, and leave nothing open. */
int lab_open(struct lab *lab, const struct lab_plan *plan);
void lab_close(struct lab *lab); /* and goes home */

/* The calling thread moves; 0 or -errno. */
int lab_enter(const struct lab *lab, enum lab_place place);

/* In the namespace that the caller is in. */
int lab_set_sysctl(const char *name, const char *value);

/* From now on neither end learns where the other one is: what is sent waits. The caller is at home afterwards. */
int lab_hide_neighbours(const struct lab *lab);
/* Tell this end for good where the other one is: what waits is sent. The caller is at home afterwards. */
int lab_show_neighbour(const struct lab *lab, enum lab_place place);

#endif
