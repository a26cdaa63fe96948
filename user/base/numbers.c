/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Numbers from text: strtoul() takes signs, spaces and overflow, so it is not used. */
#include "numbers.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define FILE_SIZE_MAX 4096 /* a sysctl is never longer */

bool number_parse(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
	uint64_t number = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		if (__builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, (uint64_t)(*text - '0'), &number))
			return false;
	}
	if (number < min || number > max)
		return false;
	*out = number;
	return true;
}

static int read_text(const char *path, char text[FILE_SIZE_MAX])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len;
	int err = 0;

	if (fd < 0)
		return -errno;
	len = read(fd, text, FILE_SIZE_MAX - 1);
	if (len < 0)
		err = -errno;
	else
		text[len] = '\0';
	close(fd);
	return err;
}

int number_read_file(const char *path, unsigned int index, uint64_t *out)
{
	char text[FILE_SIZE_MAX];
	char *word, *rest = NULL;
	int err;

	err = read_text(path, text);
	if (err)
		return err;
	word = strtok_r(text, " \t\n", &rest);
	while (word && index--)
		word = strtok_r(NULL, " \t\n", &rest);
	if (!word || !number_parse(word, 0, UINT64_MAX, out))
		return -EINVAL;
	return 0;
}
