/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A window that is scaled by more than a segment cannot be that small: it is the smallest that is large enough. */
#include "first_flight.h"

#include "bytes.h"
#include "ip.h"

#define WINDOW_OFFSET 14
#define TIMESTAMPS_LEN 12
#define SMALLEST_MSS 88 /* TCP_MAXSEG goes no lower, see repair.c */

/* What a full segment carries. With a byte less of window it would not be sent. */
static uint32_t segment_len(const struct engine_flow *flow)
{
	const uint32_t mss = flow->remote_mss < SMALLEST_MSS ? SMALLEST_MSS : flow->remote_mss;

	return mss - (flow->has_timestamps ? TIMESTAMPS_LEN : 0);
}

uint32_t first_flight_window(const struct engine_flow *flow)
{
	const uint32_t len = segment_len(flow);

	return flow->starts_slowly && len < flow->remote_window ? len : flow->remote_window;
}

void first_flight_limit(const struct engine_flow *flow, uint8_t *packet, size_t len)
{
	const uint32_t unit = 1u << flow->remote_wscale;
	const uint16_t window = (uint16_t)((segment_len(flow) + unit - 1) >> flow->remote_wscale);
	struct ip_packet ip;
	uint8_t *field;

	if (!flow->starts_slowly || ip_parse(packet, len, &ip) != SEGMENT_OK ||
	    ip.len < ip.l4_offset + IP_TCP_HEADER_LEN)
		return;
	field = packet + ip.l4_offset + WINDOW_OFFSET;
	if (bytes_get16(field) > window)
		bytes_put16(field, window);
}
