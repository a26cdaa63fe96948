/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Cookies in the tests: the configuration, and what a cookie has to be, by a SipHash of their own. */
#ifndef NOLISTEN_TESTS_COOKIE_FIXTURE_H
#define NOLISTEN_TESTS_COOKIE_FIXTURE_H

#include "fixture.h"

#include <endian.h>

#include <abi/mss.h>

#include "cookie_classes.h"
#include "siphash.h"

#define COOKIE_SLOT 1001u
#define COOKIE_TS_OFFSET 0x01020304u
#define COOKIE_MSS_V4 1460
#define COOKIE_MSS_V6 1440
#define COOKIE_WINDOW 65000
#define COOKIE_WINDOW_TS 64000 /* with timestamps; IPv6: one more each */
#define COOKIE_WSCALE 9

/* Each slot has a key of its own. */
static inline void cookie_key(uint32_t slot, __u64 key[2])
{
	memset(key, (int)(slot % NOL_COOKIE_SLOTS + 1), SIPHASH_KEY_SIZE);
}

static inline void cookie_enable(enum nol_answer answer)
{
	struct nol_cookie *cookie = kern_cookie(kern);

	*cookie = (struct nol_cookie){
		.newest = COOKIE_SLOT,
		.slot = COOKIE_SLOT,
		.ts_offset = COOKIE_TS_OFFSET,
		.answer = answer,
		.v4 = {.mss = COOKIE_MSS_V4,
		       .window = {COOKIE_WINDOW, COOKIE_WINDOW_TS},
		       .wscale = COOKIE_WSCALE},
		.v6 = {.mss = COOKIE_MSS_V6,
		       .window = {COOKIE_WINDOW + 1, COOKIE_WINDOW_TS + 1},
		       .wscale = COOKIE_WSCALE},
		.offers = NOL_OFFER_WSCALE | NOL_OFFER_SACK | NOL_OFFER_TIMESTAMPS | NOL_OFFER_ECN,
		.exact_in_window = 200,
		.is_open = {1},
	};
	cookie_classes_set(cookie, COOKIE_MSS_V4, COOKIE_MSS_V6);
	for (uint32_t slot = 0; slot < NOL_COOKIE_SLOTS; slot++)
		cookie_key(slot, cookie->keys[0][slot]);
}

/* As cookie_enable(), where ECN may be agreed. */
static inline void cookie_enable_ecn(enum nol_answer answer)
{
	cookie_enable(answer);
	kern_cookie(kern)->has_ecn = 1;
	cookie_classes_set(kern_cookie(kern), COOKIE_MSS_V4, COOKIE_MSS_V6);
}

static inline void put_le(uint8_t **at, uint32_t value, size_t len)
{
	while (len--) {
		*(*at)++ = (uint8_t)value;
		value >>= 8;
	}
}

static inline uint64_t rotate_left(uint64_t word, unsigned int bits)
{
	return word << bits | word >> (64 - bits);
}

static inline void sip_rounds(uint64_t v[4], unsigned int rounds)
{
	while (rounds--) {
		v[0] += v[1];
		v[1] = rotate_left(v[1], 13) ^ v[0];
		v[0] = rotate_left(v[0], 32);
		v[2] += v[3];
		v[3] = rotate_left(v[3], 16) ^ v[2];
		v[0] += v[3];
		v[3] = rotate_left(v[3], 21) ^ v[0];
		v[2] += v[1];
		v[1] = rotate_left(v[1], 17) ^ v[2];
		v[2] = rotate_left(v[2], 32);
	}
}

/* SipHash-2-4 over whole words, and not over a length. With kind 0xff and the length for its last word it is the usual one. */
static inline uint64_t cookie_siphash(const uint8_t key[SIPHASH_KEY_SIZE], const uint8_t *message,
				      size_t len, uint8_t kind)
{
	uint64_t k[2], word, v[4];

	memcpy(k, key, sizeof(k));
	v[0] = le64toh(k[0]) ^ 0x736f6d6570736575;
	v[1] = le64toh(k[1]) ^ 0x646f72616e646f6d;
	v[2] = le64toh(k[0]) ^ 0x6c7967656e657261;
	v[3] = le64toh(k[1]) ^ 0x7465646279746573;
	for (size_t i = 0; i < len; i += sizeof(word)) {
		memcpy(&word, message + i, sizeof(word));
		v[3] ^= le64toh(word);
		sip_rounds(v, 2);
		v[0] ^= le64toh(word);
	}
	v[2] ^= kind;
	sip_rounds(v, 4);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* tuple: as we see it. */
static inline uint64_t cookie_hash(const struct tuple *tuple, uint32_t isn, uint32_t slot)
{
	const bool is_v4 = addr_is_v4(&tuple->local.addr);
	const size_t skip = is_v4 ? 12 : 0;
	uint8_t message[40], key_bytes[SIPHASH_KEY_SIZE], *at = message;
	__u64 key[2];

	cookie_key(slot, key);
	memcpy(key_bytes, key, sizeof(key_bytes));
	at = mempcpy(at, tuple->remote.addr.bytes + skip, 16 - skip);
	at = mempcpy(at, tuple->local.addr.bytes + skip, 16 - skip);
	put_le(&at, tuple->remote.port, 2);
	put_le(&at, tuple->local.port, 2);
	put_le(&at, isn, 4);
	return cookie_siphash(key_bytes, message, (size_t)(at - message),
			      is_v4 ? NOL_COOKIE_KIND_V4 : NOL_COOKIE_KIND_V6);
}

/* Without ECN; wscale: NOL_COOKIE_NO_WSCALE for none. */
static inline uint32_t cookie_code(const struct tuple *tuple, uint16_t mss, unsigned int wscale,
				   bool has_sack)
{
	const unsigned int first =
		addr_is_v4(&tuple->local.addr) ? NOL_MSS_CLASS_536 : NOL_MSS_CLASS_1220;

	return ((nol_mss_class(mss) - first) * 16 + wscale) * 2 + has_sack;
}

static inline uint32_t cookie_expected(const struct tuple *tuple, uint32_t isn, uint32_t slot,
				       uint32_t code)
{
	return ((uint32_t)cookie_hash(tuple, isn, slot) + code * NOL_COOKIE_SPREAD)
		       << NOL_COOKIE_SLOT_BITS |
	       slot % NOL_COOKIE_SLOTS;
}

static inline uint32_t cookie_ts_offset(const struct tuple *tuple, uint32_t isn, uint32_t slot)
{
	return COOKIE_TS_OFFSET + (uint32_t)(cookie_hash(tuple, isn, slot) >> 32);
}

static inline uint32_t cookie_now_ms(void)
{
	return nol_clock_ms(clock_monotonic_ns());
}

#endif
