/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Three places, one after the other. */
#include "loader_path.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool loader_path_is_program(const char *path)
{
	struct stat status;

	return !stat(path, &status) && S_ISREG(status.st_mode) && !access(path, X_OK);
}

/* len bytes of folder, "/" and the name. */
static bool is_in(const char *folder, size_t len, char path[PATH_MAX])
{
	int size = snprintf(path, PATH_MAX, "%.*s/" LOADER_NAME, (int)len, folder);

	return size < PATH_MAX && loader_path_is_program(path);
}

/* An empty entry of PATH is the working directory, where a program of root's is not to be looked for. */
static bool is_in_path(char path[PATH_MAX])
{
	const char *folder = getenv("PATH");

	while (folder && *folder) {
		const size_t len = strcspn(folder, ":");

		if (len && is_in(folder, len, path))
			return true;
		folder += len + (folder[len] == ':');
	}
	return false;
}

/* The folder without its last part: "" for a folder of the root directory. */
static void cut_last(char *folder)
{
	char *slash = strrchr(folder, '/');

	if (slash)
		*slash = '\0';
}

/* Our own folder; "" if it is not known, or the root directory. */
static void find_own_folder(char folder[PATH_MAX])
{
	const ssize_t len = readlink("/proc/self/exe", folder, PATH_MAX - 1);

	folder[len < 0 ? 0 : len] = '\0';
	cut_last(folder);
}

int loader_path_find(char path[PATH_MAX], char reason[LOADER_REASON_SIZE])
{
	char own[PATH_MAX], sbin[PATH_MAX + sizeof("/sbin")];

	find_own_folder(own);
	strcpy(sbin, own);
	cut_last(sbin);
	strcat(sbin, "/sbin");
	if (is_in(own, strlen(own), path) || is_in(sbin, strlen(sbin), path) || is_in_path(path))
		return 0;
	snprintf(reason, LOADER_REASON_SIZE, "there is no " LOADER_NAME " in %s, %s or PATH",
		 *own ? own : "/", sbin);
	return -ENOENT;
}
