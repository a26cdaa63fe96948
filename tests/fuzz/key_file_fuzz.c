/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a key file may contain: up to 3 keys of 32 hexadecimal digits with white space behind each, or one of 16 bytes. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "cookie_keys.h"

static int file = -1;
static char path[64];

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	file = memfd_create("key", MFD_CLOEXEC);
	check(file >= 0 && !fchmod(file, 0600));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	return 0;
}

/* The digits at this place, 0 if they are not those of a key. */
static size_t count_digits(const uint8_t *data, size_t len)
{
	size_t digits = 0;

	while (digits < len && isxdigit(data[digits]))
		digits++;
	return digits == 32 ? digits : 0;
}

static void read_digits(const uint8_t *data, uint8_t key[SIPHASH_KEY_SIZE])
{
	char byte[3] = "";

	for (size_t i = 0; i < SIPHASH_KEY_SIZE; i++) {
		memcpy(byte, data + 2 * i, 2);
		key[i] = (uint8_t)strtoul(byte, NULL, 16);
	}
}

static bool is_repeated(const uint8_t keys[][SIPHASH_KEY_SIZE], size_t count)
{
	for (size_t i = 0; i < count; i++)
		for (size_t other = 0; other < i; other++)
			if (!memcmp(keys[i], keys[other], SIPHASH_KEY_SIZE))
				return true;
	return false;
}

/* How many keys there are in hexadecimal, 0: that is no such file. One of 256 bytes or more is not read to its end. */
static size_t expect_keys(const uint8_t *data, size_t len, uint8_t keys[3][SIPHASH_KEY_SIZE])
{
	size_t count = 0, at = 0;

	if (!len || len >= 256)
		return 0;
	while (at < len) {
		const size_t digits = count_digits(data + at, len - at);

		if (!digits || count == 3)
			return 0;
		read_digits(data + at, keys[count++]);
		at += digits;
		while (at < len && isspace(data[at]))
			at++;
	}
	return is_repeated(keys, count) ? 0 : count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t keys[3][SIPHASH_KEY_SIZE] = {};
	size_t count = expect_keys(data, len, keys);
	struct cookie_key_list list;
	const char *why = NULL;
	int err;

	check(!ftruncate(file, 0) && pwrite(file, data, len, 0) == (ssize_t)len);
	err = cookie_file_read(path, geteuid(), &list, &why);
	check((err == 0) == !why);
	if (len == SIPHASH_KEY_SIZE) {
		count = 1;
		memcpy(keys[0], data, len);
	}
	check((err == 0) == (count > 0));
	check(err || (list.count == count && !memcmp(list.keys, keys, sizeof(keys))));
	return 0;
}
