/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Numbers that a stranger cannot guess: initial sequence numbers (RFC 6528) and timestamp offsets (RFC 7323, 7.1). */
#ifndef NOLISTEN_ISN_H
#define NOLISTEN_ISN_H

#include <stdint.h>

#include "addr.h"
#include "siphash.h"

struct isn {
	uint32_t iss; /* grows by one every 64 ns for the same 4-tuple, as Linux's does */
	uint32_t ts_offset; /* the same for the same 4-tuple: its TSvals never go back */
};

struct isn isn_make(const uint8_t key[SIPHASH_KEY_SIZE], const struct tuple *tuple,
		    uint64_t now_ns);
/* ISS for a 4-tuple whose TIME-WAIT socket would have sent snd_nxt: not before snd_nxt plus a whole window. */
uint32_t isn_above(uint32_t iss, uint32_t snd_nxt);

#endif
