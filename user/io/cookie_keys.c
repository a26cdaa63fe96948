/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a slot has is written before it is published, and nothing of a slot that a program may be reading. */
#include "cookie_keys.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "clock.h"
#include "cookie_classes.h"

#define COOKIE_STEP_MS 500
#define FIRST_SLOT NOL_COOKIE_SLOTS /* so that the three slots before the newest have numbers too */

static int fill_random(void *bytes, size_t size)
{
	return getrandom(bytes, size, 0) == (ssize_t)size ? 0 : -EIO;
}

static uint32_t slot_at(uint64_t now_s)
{
	return (uint32_t)(now_s / NOL_COOKIE_SLOT_S) + FIRST_SLOT;
}

int cookie_keys_init(struct cookie_keys *keys, struct nol_cookie *cookie)
{
	*keys = (struct cookie_keys){.cookie = cookie};
	return fill_random(cookie->keys, sizeof(cookie->keys));
}

/*
 * On all machines that share a key the TSvals are by the real time. It is looked at anew, since its own clock may be set;
 * less than a step is the time between the two readings, or what the machines may differ by anyway.
 */
static void follow_real_time(struct cookie_keys *keys)
{
	const uint32_t offset =
		nol_clock_ms(clock_realtime_ns()) - nol_clock_ms(clock_monotonic_ns());
	const uint32_t step = offset - keys->cookie->ts_offset;

	if (step + COOKIE_STEP_MS > 2 * COOKIE_STEP_MS)
		__atomic_store_n(&keys->cookie->ts_offset, offset, __ATOMIC_RELAXED);
}

void cookie_keys_init_shared(struct cookie_keys *keys, struct nol_cookie *cookie,
			     const uint8_t key[SIPHASH_KEY_SIZE])
{
	*keys = (struct cookie_keys){.cookie = cookie, .is_shared = true};
	memcpy(keys->shared_key, key, SIPHASH_KEY_SIZE);
	follow_real_time(keys);
}

/* Half a key of this slot, the same wherever the shared key is: bytes in a fixed order, no word. */
static __u64 derive_half(const struct cookie_keys *keys, uint32_t slot, unsigned int half)
{
	const uint8_t name[] = {(uint8_t)slot, (uint8_t)(slot >> 8), (uint8_t)(slot >> 16),
				(uint8_t)(slot >> 24), (uint8_t)half};

	return siphash_24(keys->shared_key, name, sizeof(name));
}

static void derive_slot(struct cookie_keys *keys, uint32_t slot)
{
	__u64 *key = keys->cookie->keys[slot % NOL_COOKIE_SLOTS];

	for (unsigned int half = 0; half < 2; half++)
		key[half] = derive_half(keys, slot, half);
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

	if (err)
		return err;
	cookie_classes_begin(keys->cookie, newest);
	__atomic_store_n(&keys->cookie->newest, newest, __ATOMIC_RELEASE);
	return 0;
}

int cookie_keys_turn(struct cookie_keys *keys, uint64_t now_s)
{
	struct nol_cookie *cookie = keys->cookie;
	const uint32_t newest = slot_at(now_s + NOL_COOKIE_EARLY_S);
	int err = newest == cookie->newest ? 0 : advance(keys, newest);

	if (!err)
		__atomic_store_n(&cookie->slot, slot_at(now_s), __ATOMIC_RELEASE);
	return err;
}

int cookie_keys_beat(struct cookie_keys *keys)
{
	const uint64_t now_ns = keys->is_shared ? clock_realtime_ns() : clock_monotonic_ns();

	if (keys->is_shared)
		follow_real_time(keys);
	return cookie_keys_turn(keys, now_ns / CLOCK_NS_PER_S);
}
