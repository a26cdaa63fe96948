/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * After a SYN-ACK that was lost more than once, one segment only (RFC 5681, 3.1; RFC 6298, 5.7). A listener's child gets a
 * congestion window of one; ours cannot be given one by any call. So the socket believes in a send window of one segment
 * until the remote's next segment tells it the true one, which is what acknowledges the first.
 */
#ifndef NOLISTEN_FIRST_FLIGHT_H
#define NOLISTEN_FIRST_FLIGHT_H

#include <stddef.h>
#include <stdint.h>

#include "engine.h"

/* What the socket is to believe of the remote's window, in bytes. */
uint32_t first_flight_window(const struct engine_flow *flow);
/* The same in an IP packet that is to be replayed. Its checksum is wrong then, and the replay makes a new one. */
void first_flight_limit(const struct engine_flow *flow, uint8_t *packet, size_t len);

#endif
