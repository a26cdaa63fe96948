/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The file of a shared key; whoever else can read it can forge handshakes. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cookie_keys.h"

#define HEX_DIGITS (2 * SIPHASH_KEY_SIZE)

static int digit_of(uint8_t c)
{
	if (!isxdigit(c))
		return -1;
	return isdigit(c) ? c - '0' : tolower(c) - 'a' + 10;
}

static bool read_hex(const uint8_t *text, size_t len, uint8_t key[SIPHASH_KEY_SIZE])
{
	while (len && isspace(text[len - 1]))
		len--;
	if (len != HEX_DIGITS)
		return false;
	for (size_t i = 0; i < HEX_DIGITS; i += 2) {
		const int high = digit_of(text[i]), low = digit_of(text[i + 1]);

		if (high < 0 || low < 0)
			return false;
		key[i / 2] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static int check_file(int fd, const char **why)
{
	struct stat status;

	if (fstat(fd, &status))
		return -errno;
	if (!S_ISREG(status.st_mode)) {
		*why = "not an ordinary file";
		return -EINVAL;
	}
	if (status.st_uid && status.st_uid != geteuid())
		*why = "it belongs to another user: chown it first";
	else if (status.st_mode & (S_IRWXG | S_IRWXO))
		*why = "others than its owner may use it: chmod 600 it first";
	return *why ? -EPERM : 0;
}

static int read_key(int fd, uint8_t key[SIPHASH_KEY_SIZE], const char **why)
{
	uint8_t bytes[256];
	ssize_t len = read(fd, bytes, sizeof(bytes));

	if (len < 0)
		return -errno;
	/* What is behind a full buffer has not been seen. */
	if (len < (ssize_t)sizeof(bytes) && read_hex(bytes, (size_t)len, key))
		return 0;
	/* Half of 64 digits would be a key, too: of 64 bits, which can be guessed. */
	if (len != SIPHASH_KEY_SIZE) {
		*why = "a key of 32 hexadecimal digits or 16 bytes is needed";
		return -EINVAL;
	}
	memcpy(key, bytes, SIPHASH_KEY_SIZE);
	return 0;
}

int cookie_file_read(const char *path, uint8_t key[SIPHASH_KEY_SIZE], const char **why)
{
	/* A FIFO would wait for its writer. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int err = fd < 0 ? -errno : 0;

	*why = NULL;
	if (!err)
		err = check_file(fd, why);
	if (!err)
		err = read_key(fd, key, why);
	if (err && !*why)
		*why = strerror(-err);
	if (fd >= 0)
		close(fd);
	return err;
}
