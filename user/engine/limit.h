/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A token bucket: so many a second, and as many at once. */
#ifndef NOLISTEN_LIMIT_H
#define NOLISTEN_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

struct limit {
	uint32_t per_s;
	uint64_t
		credit; /* in billionths of a token, so that no elapsed nanosecond is rounded away */
	uint64_t updated_ns;
};

/* Full at the start. per_s 0: nothing ever. */
void limit_init(struct limit *limit, uint32_t per_s, uint64_t now_ns);
/* true: a token was there and is taken. */
bool limit_take(struct limit *limit, uint64_t now_ns);

#endif
