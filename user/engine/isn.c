/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* ISN = M + F(4-tuple, key), M a clock of 64 ns units (RFC 6528, 3). */
#include "isn.h"

/* Longer than the bare tuple that the flow table hashes, so that its hash values tell nothing about ours. */
struct isn_input {
	struct tuple tuple;
	uint32_t purpose;
};
_Static_assert(sizeof(struct isn_input) == 40, "padding would be hashed");

#define CLOCK_SHIFT 6 /* 64 ns */
#define TIME_WAIT_GAP (65535 + 2) /* the largest unscaled window, and what Linux adds to it */

struct isn isn_make(const uint8_t key[SIPHASH_KEY_SIZE], const struct tuple *tuple, uint64_t now_ns)
{
	struct isn_input input = {.tuple = *tuple, .purpose = 1};
	uint64_t hash = siphash_24(key, &input, sizeof(input));

	return (struct isn){
		.iss = (uint32_t)hash + (uint32_t)(now_ns >> CLOCK_SHIFT),
		.ts_offset = (uint32_t)(hash >> 32),
	};
}

uint32_t isn_above(uint32_t iss, uint32_t snd_nxt)
{
	/* Half a circle ahead of the gap is behind snd_nxt. */
	return (int32_t)(iss - snd_nxt) < TIME_WAIT_GAP ? snd_nxt + TIME_WAIT_GAP : iss;
}
