/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "standby.h"

bool standby_beat(struct standby *standby, uint64_t syns_per_s)
{
	if (syns_per_s >= STANDBY_FLOOD_PER_S)
		standby->is_on = true;
	standby->calm_beats = syns_per_s < STANDBY_CALM_PER_S ? standby->calm_beats + 1 : 0;
	if (standby->calm_beats >= STANDBY_CALM_BEATS)
		standby->is_on = false;
	return standby->is_on;
}
