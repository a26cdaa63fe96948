/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* As ss -p does it: /proc/PID/fd has a link "socket:[INODE]". */
#include "socket_owner.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH_SIZE 64
#define LINK_SIZE 64

/* Has the process a descriptor of that name? */
static bool has_descriptor(const char *pid, const char *wanted)
{
	char path[PATH_SIZE], name[LINK_SIZE];
	const struct dirent *entry;
	bool has_it = false;
	ssize_t len;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%.16s/fd", pid);
	dir = opendir(path);
	while (dir && !has_it && (entry = readdir(dir))) {
		len = readlinkat(dirfd(dir), entry->d_name, name, sizeof(name) - 1);
		if (len < 0)
			continue;
		name[len] = '\0';
		has_it = !strcmp(name, wanted);
	}
	if (dir)
		closedir(dir);
	return has_it;
}

static void read_name(const char *pid, char out[OWNER_NAME_SIZE])
{
	char path[PATH_SIZE];
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "/proc/%.16s/comm", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	len = fd < 0 ? -1 : read(fd, out, OWNER_NAME_SIZE - 1);
	if (fd >= 0)
		close(fd);
	out[len < 0 ? 0 : len] = '\0';
	out[strcspn(out, "\n")] = '\0';
}

static void search(uint64_t inode, struct socket_owner *out)
{
	const struct dirent *entry;
	char wanted[LINK_SIZE];
	DIR *dir = opendir("/proc");

	memset(out, 0, sizeof(*out));
	snprintf(wanted, sizeof(wanted), "socket:[%llu]", (unsigned long long)inode);
	while (dir && !out->pid && (entry = readdir(dir))) {
		if (entry->d_name[0] < '1' || entry->d_name[0] > '9' ||
		    !has_descriptor(entry->d_name, wanted))
			continue;
		out->pid = (uint32_t)strtoul(entry->d_name, NULL, 10);
		read_name(entry->d_name, out->name);
	}
	if (dir)
		closedir(dir);
}

void socket_owner_find(uint64_t inode, struct socket_owner *out)
{
	static struct socket_owner last;
	static uint64_t last_inode;

	if (inode != last_inode || (last.pid && kill((pid_t)last.pid, 0) && errno == ESRCH))
		search(inode, &last);
	last_inode = inode;
	*out = last;
}
