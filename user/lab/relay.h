/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A link with delay, loss and reordering between two network namespaces: a tun device (or tap) in each, and what goes into one
 * comes out of the other when it is due. For tests and measurements.
 */
#ifndef NOLISTEN_RELAY_H
#define NOLISTEN_RELAY_H

#include "relay_queue.h"

struct relay {
	int ends[RELAY_SIDES]; /* from relay_open_end() */
	size_t l2_len; /* of the link header: 0 for tun */
	struct relay_rules rules;
	/* Lines for relay_command() come from there; -1: none do. A command that was written before a packet was sent is known
	 * when that packet is judged. */
	int command_fd;
	/* NULL, or told of each TCP segment when it leaves or is dropped. */
	void (*tell)(const struct relay *relay, const struct relay_packet *packet,
		     uint64_t left_us);

	/* Its own, all zero before. */
	struct relay_queue queue;
	uint64_t arrived; /* packets */
	uint64_t looked_us; /* what came before had been read by the time of the last look */
};

/* In the caller's network namespace; the device vanishes with the descriptor. -errno. */
int relay_open_end(const char *ifname, bool is_tap);
/* For ever, or -errno. With a priority that the delay is kept by, where that is allowed. */
int relay_run(struct relay *relay);

#endif
