/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Method accept, where XDP would be generic: it copies each packet, which connections pay for, and answers half as many SYNs
 * again as TC does. So it is attached while there is a flood, and TC does without it at other times.
 */
#ifndef NOLISTEN_STANDBY_H
#define NOLISTEN_STANDBY_H

#include <stdbool.h>
#include <stdint.h>

#define STANDBY_FLOOD_PER_S 20000 /* SYNs a second */
#define STANDBY_CALM_PER_S (STANDBY_FLOOD_PER_S / 4)
#define STANDBY_CALM_BEATS 10

struct standby {
	bool is_on;
	unsigned int calm_beats; /* in a row */
};

/* Once a beat: is it to be attached? */
bool standby_beat(struct standby *standby, uint64_t syns_per_s);

#endif
