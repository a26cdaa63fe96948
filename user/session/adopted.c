/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* From the programs' words to the engine's. */
#include "adopted.h"

#include "clock.h"

struct engine_cookie adopted_cookie(const struct held_cookie *held, uint64_t now_ns)
{
	return (struct engine_cookie){
		.mss = held->mss,
		.has_wscale = held->has_wscale,
		.has_sack = held->has_sack,
		.has_timestamps = held->has_timestamps,
		.wscale = held->wscale,
		.tsval = (uint32_t)(now_ns >> NOL_COOKIE_TS_SHIFT) + held->ts_offset,
	};
}

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
