/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A crowd: connections that are established and silent, in the server's namespace. They come from the generator, so that they have no sockets at the
 * client's end. The server under test has as many of them as a process may have descriptors; the rest is held by processes of
 * ours, with a listener on another port each has a share of.
 */
#ifndef NOLISTEN_CROWD_H
#define NOLISTEN_CROWD_H

#include "trial.h"

#define CROWD_HOLDERS_MAX 128

struct crowd {
	uint64_t before; /* sockets that were there */
	uint64_t own,
		others; /* connections of the server under test, and those held for the host's sake */
	struct job holders[CROWD_HOLDERS_MAX];
	unsigned int holder_count;
};

/* From here on connections are counted. The flood takes what comes back to them (flood_open()). */
int crowd_begin(struct trial *trial, struct crowd *crowd);
/* How many the server under test can have. */
uint64_t crowd_own_max(void);
/* Up to about so many, or -ENODATA and the reason with how many there are. */
int crowd_gather(struct trial *trial, struct crowd *crowd, uint64_t count);
/* The others go; the server's own are its own. */
void crowd_end(struct trial *trial, struct crowd *crowd);

#endif
