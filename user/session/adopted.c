/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* XDP answered, and nobody noted when. */
#include "adopted.h"

#include "clock.h"

enum nol_method adopted_method(const struct engine_flow *flow, const struct flows *flows)
{
	return flow->is_adopted ? NOL_METHOD_XDP : flows->method;
}

int64_t adopted_rtt_us(const struct engine_flow *flow)
{
	if (flow->is_adopted)
		return -1;
	return (int64_t)((flow->established_ns - flow->sent_ns) / CLOCK_NS_PER_US);
}
