/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a key file may contain: 32 hexadecimal digits with white space behind them, or 16 bytes; anything else is refused. */
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

/* A file of 256 bytes or more is not read to its end, and no key. */
static bool is_hex_line(const uint8_t *data, size_t len)
{
	size_t digits = 0;

	if (len >= 256)
		return false;

	while (digits < len && isxdigit(data[digits]))
		digits++;
	if (digits != 32)
		return false;
	for (size_t i = digits; i < len; i++)
		if (!isspace(data[i]))
			return false;
	return true;
}

static void check_hex(const uint8_t *data, const uint8_t key[SIPHASH_KEY_SIZE])
{
	char byte[3] = "";

	for (size_t i = 0; i < SIPHASH_KEY_SIZE; i++) {
		memcpy(byte, data + 2 * i, 2);
		check(key[i] == strtoul(byte, NULL, 16));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t key[SIPHASH_KEY_SIZE] = {};
	const char *why = NULL;
	int err;

	check(!ftruncate(file, 0) && pwrite(file, data, len, 0) == (ssize_t)len);
	err = cookie_file_read(path, key, &why);
	check((err == 0) == !why);
	check((err == 0) == (len == SIPHASH_KEY_SIZE || is_hex_line(data, len)));
	if (!err && is_hex_line(data, len))
		check_hex(data, key);
	else if (!err)
		check(!memcmp(key, data, len));
	return 0;
}
