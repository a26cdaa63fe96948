/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Sequence numbers compare modulo 2^32 (RFC 9293, 3.4); timestamps too (RFC 7323, 5.2). */
#ifndef NOLISTEN_SEQ_H
#define NOLISTEN_SEQ_H

#include <stdbool.h>
#include <stdint.h>

static inline bool seq_before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

static inline bool seq_after(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) > 0;
}

/* start <= seq < start + len */
static inline bool seq_is_within(uint32_t seq, uint32_t start, uint32_t len)
{
	return seq - start < len;
}

#endif
