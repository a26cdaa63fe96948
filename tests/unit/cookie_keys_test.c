/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Keys and slots of the cookies, by a clock of the test's own; the file of a shared key. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit/cmocka_setup.h"

#include "cookie_keys.h"

static const uint8_t shared_key[SIPHASH_KEY_SIZE] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55,
						     0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb,
						     0xcc, 0xdd, 0xee, 0xff};

static bool is_same_key(const struct nol_cookie *a, uint32_t slot_a, const struct nol_cookie *b,
			uint32_t slot_b)
{
	return !memcmp(a->keys[slot_a % NOL_COOKIE_SLOTS], b->keys[slot_b % NOL_COOKIE_SLOTS],
		       sizeof(a->keys[0]));
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
	cookie_keys_init_shared(&early_keys, &early, shared_key);
	cookie_keys_init_shared(&late_keys, &late, shared_key);
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
	const uint8_t *all = (const uint8_t *)cookie.keys;
	const size_t count = sizeof(cookie.keys) / 8;

	(void)state;
	cookie_keys_init_shared(&keys, &cookie, shared_key);
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
	cookie_keys_init_shared(&keys, &one, shared_key);
	cookie_keys_init_shared(&other_keys, &other, shared_key);
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
	cookie_keys_init_shared(&keys, &cookie, shared_key);
	offset = cookie.ts_offset;
	cookie.ts_offset = offset + 200;
	assert_int_equal(cookie_keys_beat(&keys), 0);
	assert_int_equal(cookie.ts_offset, offset + 200);
	cookie.ts_offset = offset - 3600000;
	assert_int_equal(cookie_keys_beat(&keys), 0);
	assert_in_range(cookie.ts_offset - offset + 10, 0, 20);
}

struct file {
	char path[64];
};

static struct file write_file(const void *bytes, size_t len, mode_t mode)
{
	struct file file = {"/tmp/nolisten-key.XXXXXX"};
	int fd = mkstemp(file.path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
	return file;
}

static int read_file(const void *bytes, size_t len, mode_t mode, uint8_t key[SIPHASH_KEY_SIZE])
{
	struct file file = write_file(bytes, len, mode);
	const char *why;
	int err = cookie_file_read(file.path, key, &why);

	assert_true(!err || why);
	unlink(file.path);
	return err;
}

/* The real time may be set: the slots go with it, forth and back, and have the keys that they always have. */
static void follows_a_clock_that_jumps(void **state)
{
	static const uint64_t times_s[] = {1000000, 1000000 + 86400, 1000000 - 3600, 1000064};
	static const uint8_t key[SIPHASH_KEY_SIZE] = "shared by these";

	struct nol_cookie jumped = {}, fresh;
	struct cookie_keys keys, others;

	(void)state;
	cookie_keys_init_shared(&keys, &jumped, key);
	for (size_t i = 0; i < sizeof(times_s) / sizeof(times_s[0]); i++) {
		fresh = (struct nol_cookie){};
		cookie_keys_init_shared(&others, &fresh, key);
		assert_int_equal(cookie_keys_turn(&keys, times_s[i]), 0);
		assert_int_equal(cookie_keys_turn(&others, times_s[i]), 0);
		assert_int_equal(jumped.newest, fresh.newest);
		assert_int_equal(jumped.slot, fresh.slot);
		assert_memory_equal(jumped.keys, fresh.keys, sizeof(fresh.keys));
	}
}

static void reads_a_key_in_hexadecimal(void **state)
{
	static const char text[] = "00112233445566778899AABBccddeeff\n";
	uint8_t key[SIPHASH_KEY_SIZE];

	(void)state;
	assert_int_equal(read_file(text, strlen(text), 0600, key), 0);
	assert_memory_equal(key, shared_key, sizeof(key));
}

static void reads_a_key_in_bytes(void **state)
{
	uint8_t key[SIPHASH_KEY_SIZE];

	(void)state;
	assert_int_equal(read_file(shared_key, sizeof(shared_key), 0400, key), 0);
	assert_memory_equal(key, shared_key, sizeof(key));
}

static void refuses_a_key_that_is_too_short(void **state)
{
	uint8_t key[SIPHASH_KEY_SIZE];

	(void)state;
	assert_int_equal(read_file("0011223344", 10, 0600, key), -EINVAL);
}

/* 16 of the digits alone would be a key of 64 bits. */
static void refuses_a_key_of_another_length(void **state)
{
	static const char text[] =
		"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n";
	uint8_t key[SIPHASH_KEY_SIZE];

	(void)state;
	assert_int_equal(read_file(text, 17, 0600, key), -EINVAL);
	assert_int_equal(read_file(text, 31, 0600, key), -EINVAL);
	assert_int_equal(read_file(text, 33, 0600, key), -EINVAL);
	assert_int_equal(read_file(text, strlen(text), 0600, key), -EINVAL);
}

/* Longer than what is read of it: whatever is behind that. */
static void refuses_a_key_with_much_behind_it(void **state)
{
	char text[300] = "00112233445566778899aabbccddeeff";
	uint8_t key[SIPHASH_KEY_SIZE];

	(void)state;
	memset(text + 32, '\n', sizeof(text) - 32);
	assert_int_equal(read_file(text, 255, 0600, key), 0);
	assert_int_equal(read_file(text, sizeof(text), 0600, key), -EINVAL);
}

static void refuses_what_is_no_ordinary_file(void **state)
{
	struct file file = write_file("", 0, 0600);
	uint8_t key[SIPHASH_KEY_SIZE];
	const char *why;

	(void)state;
	unlink(file.path);
	assert_int_equal(mkfifo(file.path, 0600), 0);
	alarm(10);
	assert_int_equal(cookie_file_read(file.path, key, &why), -EINVAL);
	alarm(0);
	assert_string_equal(why, "not an ordinary file");
	unlink(file.path);
}

static void refuses_a_key_that_belongs_to_another(void **state)
{
	struct file file;
	uint8_t key[SIPHASH_KEY_SIZE];
	const char *why;

	(void)state;
	if (geteuid())
		skip();
	file = write_file(shared_key, sizeof(shared_key), 0600);
	assert_int_equal(chown(file.path, 65534, -1), 0);
	assert_int_equal(cookie_file_read(file.path, key, &why), -EPERM);
	unlink(file.path);
}

static void refuses_a_key_that_others_can_read(void **state)
{
	uint8_t key[SIPHASH_KEY_SIZE];

	(void)state;
	assert_int_equal(read_file(shared_key, sizeof(shared_key), 0640, key), -EPERM);
	assert_int_equal(read_file(shared_key, sizeof(shared_key), 0604, key), -EPERM);
}

static void says_that_there_is_no_file(void **state)
{
	uint8_t key[SIPHASH_KEY_SIZE];
	const char *why;

	(void)state;
	assert_int_equal(cookie_file_read("/nonexistent/key", key, &why), -ENOENT);
	assert_string_equal(why, strerror(ENOENT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts_a_slot_before_it_is_used),
		cmocka_unit_test(keeps_a_cookie_for_a_minute_at_least),
		cmocka_unit_test(gives_each_slot_a_key_of_its_own),
		cmocka_unit_test(writes_no_key_while_the_slot_lasts),
		cmocka_unit_test(derives_the_same_keys_whenever_it_began),
		cmocka_unit_test(derives_other_keys_for_each_slot),
		cmocka_unit_test(shares_one_key_and_the_real_time),
		cmocka_unit_test(follows_the_real_time_by_steps),
		cmocka_unit_test(follows_a_clock_that_jumps),
		cmocka_unit_test(reads_a_key_in_hexadecimal),
		cmocka_unit_test(reads_a_key_in_bytes),
		cmocka_unit_test(refuses_a_key_that_is_too_short),
		cmocka_unit_test(refuses_a_key_of_another_length),
		cmocka_unit_test(refuses_a_key_with_much_behind_it),
		cmocka_unit_test(refuses_what_is_no_ordinary_file),
		cmocka_unit_test(refuses_a_key_that_belongs_to_another),
		cmocka_unit_test(refuses_a_key_that_others_can_read),
		cmocka_unit_test(says_that_there_is_no_file),
	};

	return cmocka_run_group_tests_name("cookie_keys", tests, NULL, NULL);
}
