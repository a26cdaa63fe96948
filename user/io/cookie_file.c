/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The file of shared keys; whoever else can read it can forge handshakes. */
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

static bool read_hex(const uint8_t *text, uint8_t key[SIPHASH_KEY_SIZE])
{
	for (size_t i = 0; i < HEX_DIGITS; i += 2) {
		const int high = digit_of(text[i]), low = digit_of(text[i + 1]);

		if (high < 0 || low < 0)
			return false;
		key[i / 2] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static size_t count_spaces(const uint8_t *text, size_t len)
{
	size_t count = 0;

	while (count < len && isspace(text[count]))
		count++;
	return count;
}

static bool is_repeated(const struct cookie_key_list *list)
{
	const uint8_t *last = list->keys[list->count - 1];

	for (size_t i = 0; i + 1 < list->count; i++)
		if (!memcmp(list->keys[i], last, SIPHASH_KEY_SIZE))
			return true;
	return false;
}

/* What is wrong, or NULL. */
static const char *read_lines(const uint8_t *text, size_t len, struct cookie_key_list *out)
{
	for (size_t at = 0; at < len || !out->count;) {
		size_t spaces;

		if (out->count == COOKIE_KEYS_MAX)
			return "more than 3 keys";
		if (len - at < HEX_DIGITS || !read_hex(text + at, out->keys[out->count]))
			return "a key of 32 hexadecimal digits or 16 bytes is needed";
		out->count++;
		if (is_repeated(out))
			return "the same key twice";
		at += HEX_DIGITS;
		spaces = count_spaces(text + at, len - at);
		/* Half of 64 digits would be a key, too: of 64 bits, which can be guessed. */
		if (!spaces && at < len)
			return "a key of 32 hexadecimal digits or 16 bytes is needed";
		at += spaces;
	}
	return NULL;
}

static int check_file(int fd, uid_t owner, const char **why)
{
	struct stat status;

	if (fstat(fd, &status))
		return -errno;
	if (!S_ISREG(status.st_mode)) {
		*why = "not an ordinary file";
		return -EINVAL;
	}
	if (status.st_uid && status.st_uid != owner)
		*why = "it belongs to another user: chown it first";
	else if (status.st_mode & (S_IRWXG | S_IRWXO))
		*why = "others than its owner may use it: chmod 600 it first";
	return *why ? -EPERM : 0;
}

static int read_keys(int fd, struct cookie_key_list *out, const char **why)
{
	uint8_t bytes[256];
	ssize_t len = read(fd, bytes, sizeof(bytes));

	if (len < 0)
		return -errno;
	if (len == SIPHASH_KEY_SIZE) {
		memcpy(out->keys[0], bytes, SIPHASH_KEY_SIZE);
		out->count = 1;
	} else if (len == sizeof(bytes)) {
		*why = "longer than 255 bytes"; /* what is behind them has not been seen */
	} else {
		*why = read_lines(bytes, (size_t)len, out);
	}
	explicit_bzero(bytes, sizeof(bytes));
	return *why ? -EINVAL : 0;
}

int cookie_file_read(const char *path, uid_t owner, struct cookie_key_list *out, const char **why)
{
	/* A FIFO would wait for its writer. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int err = fd < 0 ? -errno : 0;

	*why = NULL;
	*out = (struct cookie_key_list){};
	if (!err)
		err = check_file(fd, owner, why);
	if (!err)
		err = read_keys(fd, out, why);
	if (err && !*why)
		*why = strerror(-err);
	if (fd >= 0)
		close(fd);
	return err;
}
