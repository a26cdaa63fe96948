/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "command_find.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_PATH "/bin:/usr/bin"

static int look_at(const char *path)
{
	struct stat status;

	if (stat(path, &status))
		return -errno;
	return S_ISREG(status.st_mode) && !access(path, X_OK) ? 0 : -EACCES;
}

int command_find(const char *name)
{
	const char *folder = getenv("PATH") ?: DEFAULT_PATH;
	int err = -ENOENT;

	if (strchr(name, '/'))
		return look_at(name);
	while (folder) {
		const size_t len = strcspn(folder, ":");
		char path[PATH_MAX];
		const int size = snprintf(path, sizeof(path), "%.*s%s%s", (int)len, folder,
					  len ? "/" : "", name);
		const int here = size < (int)sizeof(path) ? look_at(path) : -ENOENT;

		if (!here)
			return 0;
		if (here == -EACCES)
			err = here;
		folder = folder[len] ? folder + len + 1 : NULL;
	}
	return err;
}
