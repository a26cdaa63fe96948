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

static void open_set(struct nol_cookie *cookie, unsigned int set)
{
	__atomic_store_n(&cookie->is_open[set], 1, __ATOMIC_RELEASE);
}

static void close_set(struct cookie_keys *keys, unsigned int set)
{
	__atomic_store_n(&keys->cookie->is_open[set], 0, __ATOMIC_RELEASE);
	explicit_bzero(&keys->sets[set], sizeof(keys->sets[set]));
}

int cookie_keys_init(struct cookie_keys *keys, struct nol_cookie *cookie)
{
	*keys = (struct cookie_keys){.cookie = cookie, .sets[0].is_listed = true};
	open_set(cookie, 0);
	return fill_random(cookie->keys[0], sizeof(cookie->keys[0]));
}

/* The last moment at which the slots were what they are and go on for a minute: who is restarted often changes keys as well. */
static uint64_t moment_of(const struct nol_cookie *cookie)
{
	const uint64_t began_s = (uint64_t)(cookie->slot - FIRST_SLOT) * NOL_COOKIE_SLOT_S;
	const uint64_t early_s = began_s + NOL_COOKIE_SLOT_S - NOL_COOKIE_EARLY_S;

	return cookie->newest == cookie->slot ? early_s - 1 : early_s;
}

/*
 * What else the last loader accepted expires. Which keys these come from is not known, so there are none for its next slots: the
 * old ones that stand in their places would come back.
 */
static void retire_unknown(struct cookie_keys *keys, unsigned int set)
{
	struct nol_cookie *cookie = keys->cookie;

	keys->sets[set].last_slot = cookie->newest;
	for (uint32_t slot = cookie->newest + 1;
	     slot % NOL_COOKIE_SLOTS != (cookie->newest - 1) % NOL_COOKIE_SLOTS; slot++)
		if (fill_random(cookie->keys[set][slot % NOL_COOKIE_SLOTS],
				sizeof(cookie->keys[0][0])))
			close_set(keys, set);
}

void cookie_keys_continue(struct cookie_keys *keys, struct nol_cookie *cookie, uint64_t now_s)
{
	*keys = (struct cookie_keys){.cookie = cookie, .behind_s = now_s - moment_of(cookie)};
	keys->sets[cookie->making % NOL_COOKIE_SETS].is_listed = true;
	for (unsigned int set = 0; set < NOL_COOKIE_SETS; set++)
		if (!keys->sets[set].is_listed)
			retire_unknown(keys, set);
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

/* Half a key of this slot, the same wherever the shared key is: bytes in a fixed order, no word. */
static __u64 derive_half(const uint8_t key[SIPHASH_KEY_SIZE], uint32_t slot, unsigned int half)
{
	const uint8_t name[] = {(uint8_t)slot, (uint8_t)(slot >> 8), (uint8_t)(slot >> 16),
				(uint8_t)(slot >> 24), (uint8_t)half};

	return siphash_24(key, name, sizeof(name));
}

static void derive_slot(struct cookie_keys *keys, unsigned int set, uint32_t slot)
{
	__u64 *key = keys->cookie->keys[set][slot % NOL_COOKIE_SLOTS];

	for (unsigned int half = 0; half < 2; half++)
		key[half] = derive_half(keys->sets[set].key, slot, half);
}

/* Others that share the key have sent cookies of the slots that we were not there for. */
static void derive_all(struct cookie_keys *keys, unsigned int set, uint32_t newest)
{
	for (uint32_t age = 0; age < NOL_COOKIE_SLOTS; age++)
		derive_slot(keys, set, newest - age);
}

static void derive_until(struct cookie_keys *keys, unsigned int set, uint32_t newest)
{
	const uint32_t steps = newest - keys->cookie->newest;

	if (steps >= NOL_COOKIE_SLOTS)
		derive_all(keys, set, newest);
	else
		for (uint32_t slot = newest; slot != keys->cookie->newest; slot--)
			derive_slot(keys, set, slot);
}

/* What was retired before a slot that is over has no cookies any more. */
static void close_expired(struct cookie_keys *keys, uint32_t newest)
{
	for (unsigned int set = 0; set < NOL_COOKIE_SETS; set++)
		if (keys->cookie->is_open[set] && !keys->sets[set].is_listed &&
		    newest - keys->sets[set].last_slot > 1)
			close_set(keys, set);
}

static void take_set(struct cookie_keys *keys, unsigned int set,
		     const uint8_t key[SIPHASH_KEY_SIZE])
{
	close_set(keys, set);
	memcpy(keys->sets[set].key, key, SIPHASH_KEY_SIZE);
	keys->sets[set].is_listed = true;
	derive_all(keys, set, keys->cookie->newest);
	open_set(keys->cookie, set);
}

static bool has_key(const struct cookie_key_list *list, const uint8_t key[SIPHASH_KEY_SIZE])
{
	for (size_t i = 0; i < list->count; i++)
		if (!memcmp(list->keys[i], key, SIPHASH_KEY_SIZE))
			return true;
	return false;
}

/* NOL_COOKIE_SETS: none. */
static unsigned int find_key(const struct cookie_keys *keys, const uint8_t key[SIPHASH_KEY_SIZE])
{
	unsigned int set = 0;

	while (set < NOL_COOKIE_SETS &&
	       (!keys->cookie->is_open[set] || memcmp(keys->sets[set].key, key, SIPHASH_KEY_SIZE)))
		set++;
	return set;
}

/* What is closed, or else was retired first. There is one: what makes cookies or is listed are fewer than the sets. */
static unsigned int find_room(const struct cookie_keys *keys)
{
	const struct nol_cookie *cookie = keys->cookie;
	unsigned int found = NOL_COOKIE_SETS;

	for (unsigned int set = 0; set < NOL_COOKIE_SETS; set++) {
		if (!cookie->is_open[set])
			return set;
		if (set == cookie->making || keys->sets[set].is_listed)
			continue;
		if (found == NOL_COOKIE_SETS ||
		    (int32_t)(keys->sets[set].last_slot - keys->sets[found].last_slot) < 0)
			found = set;
	}
	return found;
}

static void retire(struct cookie_keys *keys, const struct cookie_key_list *list)
{
	for (unsigned int set = 0; set < NOL_COOKIE_SETS; set++) {
		const bool is_listed =
			keys->cookie->is_open[set] && has_key(list, keys->sets[set].key);

		if (keys->sets[set].is_listed && !is_listed)
			keys->sets[set].last_slot = keys->cookie->newest;
		keys->sets[set].is_listed = is_listed;
	}
}

void cookie_keys_replace(struct cookie_keys *keys, const struct cookie_key_list *list)
{
	retire(keys, list);
	for (size_t i = 0; i < list->count; i++)
		if (find_key(keys, list->keys[i]) == NOL_COOKIE_SETS)
			take_set(keys, find_room(keys), list->keys[i]);
	__atomic_store_n(&keys->cookie->making, (__u8)find_key(keys, list->keys[0]),
			 __ATOMIC_RELEASE);
}

void cookie_keys_init_shared(struct cookie_keys *keys, struct nol_cookie *cookie,
			     const struct cookie_key_list *list)
{
	*keys = (struct cookie_keys){.cookie = cookie, .is_shared = true};
	/* Of a loader that has ended: the same keys give the same slots again. */
	memset(cookie->is_open, 0, sizeof(cookie->is_open));
	cookie_keys_replace(keys, list);
	follow_real_time(keys);
}

uint32_t cookie_key_id(const uint8_t key[SIPHASH_KEY_SIZE])
{
	static const char name[] = "which key it is";

	return (uint32_t)siphash_24(key, name, sizeof(name));
}

static int write_keys(struct cookie_keys *keys, uint32_t newest)
{
	struct nol_cookie *cookie = keys->cookie;

	close_expired(keys, newest);
	if (!keys->is_shared)
		return fill_random(cookie->keys[cookie->making][newest % NOL_COOKIE_SLOTS],
				   sizeof(cookie->keys[0][0]));
	for (unsigned int set = 0; set < NOL_COOKIE_SETS; set++)
		if (cookie->is_open[set])
			derive_until(keys, set, newest);
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
	const uint64_t own_s = now_s - keys->behind_s;
	const uint32_t newest = slot_at(own_s + NOL_COOKIE_EARLY_S);
	int err = newest == cookie->newest ? 0 : advance(keys, newest);

	if (!err)
		__atomic_store_n(&cookie->slot, slot_at(own_s), __ATOMIC_RELEASE);
	return err;
}

int cookie_keys_beat(struct cookie_keys *keys)
{
	const uint64_t now_ns = keys->is_shared ? clock_realtime_ns() : clock_monotonic_ns();

	if (keys->is_shared)
		follow_real_time(keys);
	return cookie_keys_turn(keys, now_ns / CLOCK_NS_PER_S);
}
