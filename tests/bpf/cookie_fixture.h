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

/* Each slot has keys of its own, and each class in it. */
static inline void cookie_key(uint32_t slot, unsigned int mss_class, __u64 key[2])
{
	memset(key, (int)(slot % NOL_COOKIE_SLOTS * 16 + mss_class + 1), SIPHASH_KEY_SIZE);
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
		for (unsigned int i = 0; i < NOL_COOKIE_CLASSES; i++)
			cookie_key(slot, i, cookie->keys[slot][i]);
}

static inline void mix(uint64_t v[4], unsigned int rounds)
{
	while (rounds--) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = (v[1] << 13 | v[1] >> 51) ^ v[0];
		v[3] = (v[3] << 16 | v[3] >> 48) ^ v[2];
		v[0] = (v[0] << 32 | v[0] >> 32) + v[3];
		v[2] += v[1];
		v[1] = (v[1] << 17 | v[1] >> 47) ^ v[2];
		v[3] = (v[3] << 21 | v[3] >> 43) ^ v[0];
		v[2] = v[2] << 32 | v[2] >> 32;
	}
}

/* SipHash-2-4 over whole words, without the word that tells the length. */
static inline uint64_t hash_words(const __u64 key[2], const uint64_t *words, size_t count,
				  uint64_t end)
{
	uint64_t v[4] = {key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d,
			 key[0] ^ 0x6c7967656e657261, key[1] ^ 0x7465646279746573};

	for (size_t i = 0; i < count; i++) {
		v[3] ^= words[i];
		mix(v, 2);
		v[0] ^= words[i];
	}
	v[2] ^= end;
	mix(v, 4);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* tuple: as we see it. */
static inline uint32_t cookie_expected(const struct tuple *tuple, uint32_t isn, uint32_t slot,
				       unsigned int mss_class)
{
	const bool is_v4 = addr_is_v4(&tuple->local.addr);
	const size_t skip = is_v4 ? 12 : 0, count = is_v4 ? 2 : 5;
	uint64_t words[5], hash;
	__u64 key[2];

	cookie_key(slot, mss_class, key);
	mempcpy(mempcpy(words, tuple->remote.addr.bytes + skip, 16 - skip),
		tuple->local.addr.bytes + skip, 16 - skip);
	words[count - 1] =
		tuple->remote.port | (uint64_t)tuple->local.port << 16 | (uint64_t)isn << 32;
	hash = hash_words(key, words, count, is_v4 ? 0xff : 0xee);
	return (uint32_t)hash << NOL_COOKIE_HASH_SHIFT | mss_class << NOL_COOKIE_SLOT_BITS |
	       slot % NOL_COOKIE_SLOTS;
}

#endif
