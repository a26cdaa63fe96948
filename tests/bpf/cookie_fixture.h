/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Cookies in the tests: the configuration, and what a cookie has to be, computed by user space's SipHash. */
#ifndef NOLISTEN_TESTS_COOKIE_FIXTURE_H
#define NOLISTEN_TESTS_COOKIE_FIXTURE_H

#include "fixture.h"

#include "siphash.h"

#define COOKIE_SLOT 1001u
#define COOKIE_TS_OFFSET 0x01020304u
#define COOKIE_MSS_V4 1460
#define COOKIE_MSS_V6 1440
#define COOKIE_WINDOW 65000
#define COOKIE_WINDOW_TS 64000 /* with timestamps; IPv6: one more each */
#define COOKIE_WSCALE 9

/* Each slot has a key of its own. */
static inline void cookie_key(uint32_t slot, uint8_t key[SIPHASH_KEY_SIZE])
{
	memset(key, (int)(slot % NOL_COOKIE_SLOTS) + 1, SIPHASH_KEY_SIZE);
}

static inline void cookie_enable(enum nol_answer answer)
{
	struct nol_cookie *cookie = kern_cookie(kern);

	*cookie = (struct nol_cookie){
		.newest = COOKIE_SLOT,
		.slot = COOKIE_SLOT,
		.ts_offset = COOKIE_TS_OFFSET,
		.answer = answer,
		.mss_v4 = COOKIE_MSS_V4,
		.mss_v6 = COOKIE_MSS_V6,
		.window_v4 = {COOKIE_WINDOW, COOKIE_WINDOW_TS},
		.window_v6 = {COOKIE_WINDOW + 1, COOKIE_WINDOW_TS + 1},
		.wscale = COOKIE_WSCALE,
	};
	for (uint32_t slot = 0; slot < NOL_COOKIE_SLOTS; slot++)
		cookie_key(slot, (uint8_t *)cookie->keys[slot]);
}

static inline uint8_t *put_le(uint8_t *at, uint64_t value, size_t len)
{
	while (len--) {
		*at++ = (uint8_t)value;
		value >>= 8;
	}
	return at;
}

/* tuple: as we see it. */
static inline uint32_t cookie_expected(const struct tuple *tuple, uint32_t isn, uint32_t slot,
				       unsigned int mss_class)
{
	size_t skip = addr_is_v4(&tuple->local.addr) ? 12 : 0;
	uint8_t key[SIPHASH_KEY_SIZE], input[64], *at = input;

	cookie_key(slot, key);
	at = mempcpy(at, tuple->remote.addr.bytes + skip, 16 - skip);
	at = mempcpy(at, tuple->local.addr.bytes + skip, 16 - skip);
	at = put_le(at, tuple->remote.port, 2);
	at = put_le(at, tuple->local.port, 2);
	at = put_le(at, isn, 4);
	at = put_le(at, slot, 4);
	at = put_le(at, mss_class, 1);
	return (uint32_t)siphash_24(key, input, (size_t)(at - input)) << NOL_COOKIE_HASH_SHIFT |
	       mss_class << NOL_COOKIE_SLOT_BITS | slot % NOL_COOKIE_SLOTS;
}

#endif
