/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Two network namespaces joined by a veth, a server's and a client's. They have no names: when the descriptors are
 * closed and the processes in them have ended, however they ended, nothing is left.
 */
#ifndef NOLISTEN_EXPLAIN_LAB_H
#define NOLISTEN_EXPLAIN_LAB_H

#include <stdbool.h>
#include <stdint.h>

#include "addr.h"

#define LAB_IFNAME "nol-demo" /* in both */
#define LAB_SERVER "10.0.0.2"
#define LAB_CLIENT "10.0.0.1"

struct lab {
	int home, server, client; /* namespaces; -1: none */
};

enum lab_side {
	LAB_IN_SERVER,
	LAB_IN_CLIENT,
};

/* On success the caller is in the server's namespace. Errors are logged. */
int explain_lab_open(struct lab *lab);
void explain_lab_close(struct lab *lab); /* and goes home */
int explain_lab_enter(const struct lab *lab, enum lab_side side);

/* From now on neither side learns where the other one is: what is sent waits. */
int lab_hide_neighbours(const struct lab *lab);
/* Tell this side where the other one is: what waits is sent. */
int lab_show_neighbour(const struct lab *lab, enum lab_side side);

#endif
