/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Keys and slots of the cookies, by a clock of the test's own. */
#include <string.h>

#include "unit/cmocka_setup.h"

#include "cookie_keys.h"

/* A list of so many keys, which begin with these letters. */
static struct cookie_key_list list_of(const char *names)
{
	struct cookie_key_list list = {.count = strlen(names)};

	for (size_t i = 0; i < list.count; i++)
		memset(list.keys[i], names[i], SIPHASH_KEY_SIZE);
	return list;
}

static void init_shared(struct cookie_keys *keys, struct nol_cookie *cookie, const char *names)
{
	const struct cookie_key_list list = list_of(names);

	cookie_keys_init_shared(keys, cookie, &list);
}

static void replace(struct cookie_keys *keys, const char *names)
{
	const struct cookie_key_list list = list_of(names);

	cookie_keys_replace(keys, &list);
}

static bool is_same_key(const struct nol_cookie *a, uint32_t slot_a, const struct nol_cookie *b,
			uint32_t slot_b)
{
	return !memcmp(a->keys[a->making][slot_a % NOL_COOKIE_SLOTS],
		       b->keys[b->making][slot_b % NOL_COOKIE_SLOTS], sizeof(a->keys[0][0]));
}

static void accepts_a_slot_before_it_is_used(void **state)
{
	struct nol_cookie cookie = {};
	struct cookie_keys keys;

	(void)state;
	assert_int_equal(cookie_keys_init(&keys, &cookie), 0);
	assert_int_equal(cookie_keys_turn(&keys, 59), 0);
	assert_int_equal(cookie.slot, 4);
	assert_int_equal(cookie.newest, 4);
	assert_int_equal(cookie_keys_turn(&keys, 60), 0);
	assert_int_equal(cookie.slot, 4);
	assert_int_equal(cookie.newest, 5);
	assert_int_equal(cookie_keys_turn(&keys, 64), 0);
	assert_int_equal(cookie.slot, 5);
	assert_int_equal(cookie.newest, 5);
}

/* Whenever it comes, after however long, and whether or not the next slot was accepted already. */
static void goes_on_from(uint64_t left_s)
{
	struct nol_cookie cookie = {}, left;
	struct cookie_keys keys;

	assert_int_equal(cookie_keys_init(&keys, &cookie), 0);
	assert_int_equal(cookie_keys_turn(&keys, left_s), 0);
	left = cookie;
	for (uint64_t s = left_s + 1; s < left_s + 5 * NOL_COOKIE_SLOT_S; s++) {
		cookie = left;
		cookie_keys_continue(&keys, &cookie, s);
		assert_int_equal(cookie_keys_turn(&keys, s), 0);
		assert_int_equal(cookie.newest, left.newest);
		assert_int_equal(cookie.slot, left.slot);
		assert_int_equal(cookie_keys_turn(&keys, s + 60), 0);
		assert_in_range(cookie.newest - left.slot, 0, 1);
		assert_true(is_same_key(&cookie, left.slot, &left, left.slot));
	}
}

static void goes_on_with_the_slot_that_the_last_loader_left(void **state)
{
	(void)state;
	goes_on_from(10);
	goes_on_from(NOL_COOKIE_SLOT_S - 1);
}

/* Whatever second a cookie was made in, it is accepted for a minute, and never longer than 124 s. */
static void keeps_a_cookie_for_a_minute_at_least(void **state)
{
	struct nol_cookie cookie = {}, then;
	struct cookie_keys keys;

	(void)state;
	for (uint64_t made_s = 0; made_s < NOL_COOKIE_SLOT_S; made_s++) {
		assert_int_equal(cookie_keys_init(&keys, &cookie), 0);
		cookie_keys_turn(&keys, made_s);
		then = cookie;
		for (uint64_t s = made_s; s <= made_s + 60; s++) {
			cookie_keys_turn(&keys, s);
			assert_in_range(cookie.newest - then.slot, 0, 1);
			assert_true(is_same_key(&cookie, then.slot, &then, then.slot));
		}
		cookie_keys_turn(&keys, made_s + 124);
		assert_true(cookie.newest - then.slot > 1);
	}
}

static void gives_each_slot_a_key_of_its_own(void **state)
{
	struct nol_cookie cookie = {}, before;
	struct cookie_keys keys;

	(void)state;
	assert_int_equal(cookie_keys_init(&keys, &cookie), 0);
	cookie_keys_turn(&keys, 0);
	before = cookie;
	for (uint32_t i = 1; i <= NOL_COOKIE_SLOTS; i++) {
		cookie_keys_turn(&keys, i * NOL_COOKIE_SLOT_S);
		assert_false(is_same_key(&cookie, cookie.newest, &before, cookie.newest));
	}
}

static void writes_no_key_while_the_slot_lasts(void **state)
{
	struct nol_cookie cookie = {}, before;
	struct cookie_keys keys;

	(void)state;
	assert_int_equal(cookie_keys_init(&keys, &cookie), 0);
	cookie_keys_turn(&keys, 64);
	before = cookie;
	cookie_keys_turn(&keys, 100);
	assert_memory_equal(&cookie, &before, sizeof(cookie));
}

static void derives_the_same_keys_whenever_it_began(void **state)
{
	struct nol_cookie early = {}, late = {};
	struct cookie_keys early_keys, late_keys;

	(void)state;
	init_shared(&early_keys, &early, "a");
	init_shared(&late_keys, &late, "a");
	for (uint64_t now_s = 0; now_s <= 1000; now_s += 30)
		cookie_keys_turn(&early_keys, now_s);
	cookie_keys_turn(&late_keys, 990);
	assert_int_equal(early.newest, late.newest);
	assert_memory_equal(early.keys, late.keys, sizeof(early.keys));
}

static void derives_other_keys_for_each_slot(void **state)
{
	struct nol_cookie cookie = {};
	struct cookie_keys keys;
	const uint8_t *all = (const uint8_t *)cookie.keys[0];
	const size_t count = sizeof(cookie.keys[0]) / 8;

	(void)state;
	init_shared(&keys, &cookie, "a");
	cookie_keys_turn(&keys, 0);
	for (size_t i = 0; i < count; i++)
		for (size_t other = 0; other < i; other++)
			assert_memory_not_equal(all + i * 8, all + other * 8, 8);
}

static void shares_one_key_and_the_real_time(void **state)
{
	struct nol_cookie one = {}, other = {};
	struct cookie_keys keys, other_keys;

	(void)state;
	init_shared(&keys, &one, "a");
	init_shared(&other_keys, &other, "a");
	assert_int_equal(cookie_keys_beat(&keys), 0);
	assert_int_equal(cookie_keys_beat(&other_keys), 0);
	assert_in_range(other.newest - one.newest, 0, 1);
	assert_in_range(other.ts_offset - one.ts_offset + 10, 0, 20);
	assert_true(is_same_key(&one, one.newest, &other, one.newest));
}

/* The real time has been set meanwhile; what it runs off by itself is left alone. */
static void follows_the_real_time_by_steps(void **state)
{
	struct nol_cookie cookie = {};
	struct cookie_keys keys;
	uint32_t offset;

	(void)state;
	init_shared(&keys, &cookie, "a");
	offset = cookie.ts_offset;
	cookie.ts_offset = offset + 200;
	assert_int_equal(cookie_keys_beat(&keys), 0);
	assert_int_equal(cookie.ts_offset, offset + 200);
	cookie.ts_offset = offset - 3600000;
	assert_int_equal(cookie_keys_beat(&keys), 0);
	assert_in_range(cookie.ts_offset - offset + 10, 0, 20);
}

/* The real time may be set: the slots go with it, forth and back, and have the keys that they always have. */
static void follows_a_clock_that_jumps(void **state)
{
	static const uint64_t times_s[] = {1000000, 1000000 + 86400, 1000000 - 3600, 1000064};
	struct nol_cookie jumped = {}, fresh;
	struct cookie_keys keys, others;

	(void)state;
	init_shared(&keys, &jumped, "a");
	for (size_t i = 0; i < sizeof(times_s) / sizeof(times_s[0]); i++) {
		fresh = (struct nol_cookie){};
		init_shared(&others, &fresh, "a");
		assert_int_equal(cookie_keys_turn(&keys, times_s[i]), 0);
		assert_int_equal(cookie_keys_turn(&others, times_s[i]), 0);
		assert_int_equal(jumped.newest, fresh.newest);
		assert_int_equal(jumped.slot, fresh.slot);
		assert_memory_equal(jumped.keys, fresh.keys, sizeof(fresh.keys));
	}
}

/* Whether cookies of this slot that another machine has made with the key `name` are accepted. */
static bool accepts(const struct nol_cookie *cookie, char name, uint32_t slot)
{
	const char names[] = {name, '\0'};
	struct nol_cookie maker = {};
	struct cookie_keys keys;

	init_shared(&keys, &maker, names);
	cookie_keys_turn(&keys, (uint64_t)(slot - NOL_COOKIE_SLOTS) * NOL_COOKIE_SLOT_S);
	assert_int_equal(maker.slot, slot);
	for (unsigned int set = 0; set < NOL_COOKIE_SETS; set++)
		if (cookie->is_open[set] &&
		    !memcmp(cookie->keys[set][slot % NOL_COOKIE_SLOTS],
			    maker.keys[0][slot % NOL_COOKIE_SLOTS], sizeof(maker.keys[0][0])))
			return true;
	return false;
}

static bool makes(const struct nol_cookie *cookie, char name)
{
	struct nol_cookie only = *cookie;

	memset(only.is_open, 0, sizeof(only.is_open));
	only.is_open[cookie->making] = 1;
	return accepts(&only, name, cookie->slot);
}

static void makes_with_the_first_key_and_accepts_all(void **state)
{
	struct nol_cookie cookie = {};
	struct cookie_keys keys;

	(void)state;
	init_shared(&keys, &cookie, "abc");
	cookie_keys_turn(&keys, 1000);
	assert_true(makes(&cookie, 'a'));
	assert_true(accepts(&cookie, 'a', cookie.slot));
	assert_true(accepts(&cookie, 'b', cookie.slot));
	assert_true(accepts(&cookie, 'c', cookie.slot - 1));
	assert_false(accepts(&cookie, 'd', cookie.slot));
}

/* From the moment in which it is replaced until no cookie of it can be young enough; in the slots to come as well. */
static void accepts_the_last_key_as_long_as_its_cookies_live(void **state)
{
	struct nol_cookie cookie = {};
	struct cookie_keys keys;

	(void)state;
	init_shared(&keys, &cookie, "a");
	for (uint64_t made_s = 640; made_s < 640 + NOL_COOKIE_SLOT_S; made_s++) {
		uint32_t slot;

		init_shared(&keys, &cookie, "a");
		cookie_keys_turn(&keys, made_s);
		slot = cookie.slot;
		replace(&keys, "b");
		assert_true(makes(&cookie, 'b'));
		for (uint64_t s = made_s; s <= made_s + 60; s++) {
			cookie_keys_turn(&keys, s);
			assert_true(accepts(&cookie, 'a', slot));
			assert_true(accepts(&cookie, 'b', cookie.newest));
		}
		cookie_keys_turn(&keys, made_s + 2 * NOL_COOKIE_SLOT_S + NOL_COOKIE_EARLY_S);
		assert_false(accepts(&cookie, 'a', slot));
		assert_true(makes(&cookie, 'b'));
	}
}

/* As a fleet does it: known everywhere, then used, then the old one goes. */
static void goes_over_to_a_key_that_is_known_already(void **state)
{
	struct nol_cookie cookie = {};
	struct cookie_keys keys;
	unsigned int set;

	(void)state;
	init_shared(&keys, &cookie, "a");
	cookie_keys_turn(&keys, 1000);
	set = cookie.making;
	replace(&keys, "ab");
	assert_int_equal(cookie.making, set);
	assert_true(makes(&cookie, 'a') && accepts(&cookie, 'b', cookie.slot));
	replace(&keys, "ba");
	assert_int_not_equal(cookie.making, set);
	assert_true(makes(&cookie, 'b') && accepts(&cookie, 'a', cookie.slot));
	cookie_keys_turn(&keys, 2000);
	assert_true(makes(&cookie, 'b') && accepts(&cookie, 'a', cookie.slot));
	replace(&keys, "b");
	cookie_keys_turn(&keys, 2200);
	assert_true(makes(&cookie, 'b'));
	assert_false(accepts(&cookie, 'a', cookie.slot));
}

/* Whatever comes after whatever: the first makes, all are accepted, and so is the one that made them last. */
static void takes_any_list_after_any_other(void **state)
{
	static const char *const lists[] = {"a",  "abc", "def", "dab", "ghi", "g",
					    "hg", "abc", "cba", "b",   "xyz", "abc"};
	struct nol_cookie cookie = {};
	struct cookie_keys keys;
	char last = 'a';

	(void)state;
	init_shared(&keys, &cookie, lists[0]);
	cookie_keys_turn(&keys, 1000);
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		replace(&keys, lists[i]);
		assert_true(makes(&cookie, lists[i][0]));
		for (const char *name = lists[i]; *name; name++)
			assert_true(accepts(&cookie, *name, cookie.slot));
		assert_true(accepts(&cookie, last, cookie.slot));
		last = lists[i][0];
	}
}

/* Nothing about a key can be told from it, but whether it is the same. */
static void names_keys(void **state)
{
	const struct cookie_key_list list = list_of("ab");

	(void)state;
	assert_int_not_equal(cookie_key_id(list.keys[0]), cookie_key_id(list.keys[1]));
	assert_int_equal(cookie_key_id(list.keys[0]), cookie_key_id(list_of("a").keys[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts_a_slot_before_it_is_used),
		cmocka_unit_test(keeps_a_cookie_for_a_minute_at_least),
		cmocka_unit_test(goes_on_with_the_slot_that_the_last_loader_left),
		cmocka_unit_test(gives_each_slot_a_key_of_its_own),
		cmocka_unit_test(writes_no_key_while_the_slot_lasts),
		cmocka_unit_test(derives_the_same_keys_whenever_it_began),
		cmocka_unit_test(derives_other_keys_for_each_slot),
		cmocka_unit_test(shares_one_key_and_the_real_time),
		cmocka_unit_test(follows_the_real_time_by_steps),
		cmocka_unit_test(follows_a_clock_that_jumps),
		cmocka_unit_test(makes_with_the_first_key_and_accepts_all),
		cmocka_unit_test(accepts_the_last_key_as_long_as_its_cookies_live),
		cmocka_unit_test(goes_over_to_a_key_that_is_known_already),
		cmocka_unit_test(takes_any_list_after_any_other),
		cmocka_unit_test(names_keys),
	};

	return cmocka_run_group_tests_name("cookie_keys", tests, NULL, NULL);
}
