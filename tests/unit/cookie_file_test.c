/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The file of shared keys: what is read of it, and what is refused. */
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

static int read_file(const void *bytes, size_t len, mode_t mode, struct cookie_key_list *list)
{
	struct file file = write_file(bytes, len, mode);
	const char *why;
	int err = cookie_file_read(file.path, geteuid(), list, &why);

	assert_true(!err || why);
	unlink(file.path);
	return err;
}

static void assert_only_key(const struct cookie_key_list *list)
{
	assert_int_equal(list->count, 1);
	assert_memory_equal(list->keys[0], shared_key, SIPHASH_KEY_SIZE);
}

static void reads_a_key_in_hexadecimal(void **state)
{
	static const char text[] = "00112233445566778899AABBccddeeff\n";
	struct cookie_key_list list;

	(void)state;
	assert_int_equal(read_file(text, strlen(text), 0600, &list), 0);
	assert_only_key(&list);
}

static void reads_a_key_in_bytes(void **state)
{
	struct cookie_key_list list;

	(void)state;
	assert_int_equal(read_file(shared_key, sizeof(shared_key), 0400, &list), 0);
	assert_only_key(&list);
}

static void refuses_a_key_that_is_too_short(void **state)
{
	struct cookie_key_list list;

	(void)state;
	assert_int_equal(read_file("0011223344", 10, 0600, &list), -EINVAL);
}

static void reads_several_keys(void **state)
{
	static const char text[] = "00112233445566778899aabbccddeeff\n"
				   "10112233445566778899aabbccddeeff \r\n\n"
				   "20112233445566778899aabbccddeeff";
	struct cookie_key_list list;

	(void)state;
	assert_int_equal(read_file(text, strlen(text), 0600, &list), 0);
	assert_int_equal(list.count, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(list.keys[i][0], i << 4);
		assert_memory_equal(list.keys[i] + 1, shared_key + 1, SIPHASH_KEY_SIZE - 1);
	}
}

static void refuses_more_keys_than_there_is_room_for(void **state)
{
	static const char text[] =
		"00112233445566778899aabbccddeeff\n10112233445566778899aabbccddeeff\n"
		"20112233445566778899aabbccddeeff\n30112233445566778899aabbccddeeff\n";
	struct cookie_key_list list;

	(void)state;
	assert_int_equal(read_file(text, strlen(text), 0600, &list), -EINVAL);
	assert_int_equal(read_file(text, strlen(text) - 1, 0600, &list), -EINVAL);
	assert_int_equal(read_file(text, 3 * 33, 0600, &list), 0);
}

/* Somebody believes that he has changed it. */
static void refuses_the_same_key_twice(void **state)
{
	static const char text[] =
		"00112233445566778899aabbccddeeff\n00112233445566778899AABBCCDDEEFF\n";
	struct cookie_key_list list;

	(void)state;
	assert_int_equal(read_file(text, strlen(text), 0600, &list), -EINVAL);
}

/* A wrong one among them is no reason to take the others. */
static void refuses_all_keys_for_one_that_is_wrong(void **state)
{
	static const char text[] =
		"00112233445566778899aabbccddeeff\n0x112233445566778899aabbccddeeff\n";
	struct cookie_key_list list;

	(void)state;
	assert_int_equal(read_file(text, strlen(text), 0600, &list), -EINVAL);
	assert_int_equal(read_file(text, strlen(text) - 2, 0600, &list), -EINVAL);
	assert_int_equal(read_file(text, 34, 0600, &list), -EINVAL);
}

/* 16 of the digits alone would be a key of 64 bits. */
static void refuses_a_key_of_another_length(void **state)
{
	static const char text[] =
		"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n";
	struct cookie_key_list list;

	(void)state;
	assert_int_equal(read_file(text, 17, 0600, &list), -EINVAL);
	assert_int_equal(read_file(text, 31, 0600, &list), -EINVAL);
	assert_int_equal(read_file(text, 33, 0600, &list), -EINVAL);
	assert_int_equal(read_file(text, strlen(text), 0600, &list), -EINVAL);
}

/* Longer than what is read of it: whatever is behind that. */
static void refuses_a_key_with_much_behind_it(void **state)
{
	char text[300] = "00112233445566778899aabbccddeeff";
	struct cookie_key_list list;

	(void)state;
	memset(text + 32, '\n', sizeof(text) - 32);
	assert_int_equal(read_file(text, 255, 0600, &list), 0);
	assert_int_equal(read_file(text, sizeof(text), 0600, &list), -EINVAL);
}

static void refuses_what_is_no_ordinary_file(void **state)
{
	struct file file = write_file("", 0, 0600);
	struct cookie_key_list list;
	const char *why;

	(void)state;
	unlink(file.path);
	assert_int_equal(mkfifo(file.path, 0600), 0);
	alarm(10);
	assert_int_equal(cookie_file_read(file.path, geteuid(), &list, &why), -EINVAL);
	alarm(0);
	assert_string_equal(why, "not an ordinary file");
	unlink(file.path);
}

static void refuses_a_key_that_belongs_to_another(void **state)
{
	struct file file;
	struct cookie_key_list list;
	const char *why;

	(void)state;
	if (geteuid())
		skip();
	file = write_file(shared_key, sizeof(shared_key), 0600);
	assert_int_equal(chown(file.path, 65534, -1), 0);
	assert_int_equal(cookie_file_read(file.path, geteuid(), &list, &why), -EPERM);
	assert_int_equal(cookie_file_read(file.path, 65534, &list, &why), 0);
	unlink(file.path);
}

static void refuses_a_key_that_others_can_read(void **state)
{
	struct cookie_key_list list;

	(void)state;
	assert_int_equal(read_file(shared_key, sizeof(shared_key), 0640, &list), -EPERM);
	assert_int_equal(read_file(shared_key, sizeof(shared_key), 0604, &list), -EPERM);
}

static void says_that_there_is_no_file(void **state)
{
	struct cookie_key_list list;
	const char *why;

	(void)state;
	assert_int_equal(cookie_file_read("/nonexistent/key", geteuid(), &list, &why), -ENOENT);
	assert_string_equal(why, strerror(ENOENT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_key_in_hexadecimal),
		cmocka_unit_test(reads_a_key_in_bytes),
		cmocka_unit_test(refuses_a_key_that_is_too_short),
		cmocka_unit_test(reads_several_keys),
		cmocka_unit_test(refuses_more_keys_than_there_is_room_for),
		cmocka_unit_test(refuses_the_same_key_twice),
		cmocka_unit_test(refuses_all_keys_for_one_that_is_wrong),
		cmocka_unit_test(refuses_a_key_of_another_length),
		cmocka_unit_test(refuses_a_key_with_much_behind_it),
		cmocka_unit_test(refuses_what_is_no_ordinary_file),
		cmocka_unit_test(refuses_a_key_that_belongs_to_another),
		cmocka_unit_test(refuses_a_key_that_others_can_read),
		cmocka_unit_test(says_that_there_is_no_file),
	};

	return cmocka_run_group_tests_name("cookie_file", tests, NULL, NULL);
}
