/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A key is written before its slot is published, and no key is written that a program may be reading. */
#include "cookie_keys.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "clock.h"

#define FIRST_SLOT NOL_COOKIE_SLOTS /* so that the three slots before the newest have numbers too */

static int fill_random(void *bytes, size_t size)
{
	return getrandom(bytes, size, 0) == (ssize_t)size ? 0 : -EIO;
}

static uint32_t slot_at(uint64_t now_s)
{
	return (uint32_t)(now_s / COOKIE_SLOT_S) + FIRST_SLOT;
}

int cookie_keys_init(struct cookie_keys *keys, struct nol_cookie *cookie)
{
	int err = fill_random(cookie->keys, sizeof(cookie->keys));

	*keys = (struct cookie_keys){.cookie = cookie};
	return err ?: fill_random(&cookie->ts_offset, sizeof(cookie->ts_offset));
}

void cookie_keys_init_shared(struct cookie_keys *keys, struct nol_cookie *cookie,
			     const uint8_t key[SIPHASH_KEY_SIZE])
{
	static const char purpose[] = "timestamps";
	const uint64_t ahead_ns = clock_realtime_ns() - clock_monotonic_ns();

	*keys = (struct cookie_keys){.cookie = cookie, .is_shared = true};
	memcpy(keys->shared_key, key, SIPHASH_KEY_SIZE);
	cookie->ts_offset = (uint32_t)(ahead_ns >> NOL_COOKIE_TS_SHIFT) +
			    (uint32_t)siphash_24(key, purpose, sizeof(purpose));
}

/* Half a key of this slot, the same wherever the shared key is: bytes in a fixed order, no word. */
static __u64 derive_half(const struct cookie_keys *keys, uint32_t slot, unsigned int mss_class,
			 unsigned int half)
{
	const uint8_t name[] = {(uint8_t)slot,	       (uint8_t)(slot >> 8), (uint8_t)(slot >> 16),
				(uint8_t)(slot >> 24), (uint8_t)mss_class,   (uint8_t)half};

	return siphash_24(keys->shared_key, name, sizeof(name));
}

static void derive_slot(struct cookie_keys *keys, uint32_t slot)
{
	__u64(*slot_keys)[2] = keys->cookie->keys[slot % NOL_COOKIE_SLOTS];

	for (unsigned int i = 0; i < NOL_COOKIE_CLASSES * 2; i++)
		slot_keys[i / 2][i % 2] = derive_half(keys, slot, i / 2, i % 2);
}

/* Others that share the key have sent cookies of the slots that we were not there for. */
static void derive_until(struct cookie_keys *keys, uint32_t newest)
{
	uint32_t slot = newest - (NOL_COOKIE_SLOTS - 1);

	if (keys->cookie->newest >= slot && keys->cookie->newest < newest)
		slot = keys->cookie->newest + 1;
	for (; slot != newest + 1; slot++)
		derive_slot(keys, slot);
}

static int write_keys(struct cookie_keys *keys, uint32_t newest)
{
	struct nol_cookie *cookie = keys->cookie;

	if (!keys->is_shared)
		return fill_random(cookie->keys[newest % NOL_COOKIE_SLOTS],
				   sizeof(cookie->keys[0]));
	derive_until(keys, newest);
	return 0;
}

static int advance(struct cookie_keys *keys, uint32_t newest)
{
	int err = write_keys(keys, newest);

	if (!err)
		__atomic_store_n(&keys->cookie->newest, newest, __ATOMIC_RELEASE);
	return err;
}

int cookie_keys_turn(struct cookie_keys *keys, uint64_t now_s)
{
	struct nol_cookie *cookie = keys->cookie;
	const uint32_t newest = slot_at(now_s + COOKIE_EARLY_S);
	int err = newest == cookie->newest ? 0 : advance(keys, newest);

	if (!err)
		__atomic_store_n(&cookie->slot, slot_at(now_s), __ATOMIC_RELEASE);
	return err;
}

int cookie_keys_beat(struct cookie_keys *keys)
{
	const uint64_t now_ns = keys->is_shared ? clock_realtime_ns() : clock_monotonic_ns();

	return cookie_keys_turn(keys, now_ns / CLOCK_NS_PER_S);
}
