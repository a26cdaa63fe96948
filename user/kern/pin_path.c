/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "pin_path.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

bool pin_has_place(void)
{
	struct statfs fs;

	return !statfs(PIN_ROOT, &fs) && fs.f_type == BPF_FS_MAGIC;
}

/* bpffs refuses dots, which names of VLAN devices have; a colon no interface's name has. */
static void folder_of(const char *ifname, char folder[IF_NAMESIZE])
{
	snprintf(folder, IF_NAMESIZE, "%s", ifname);
	for (char *dot = folder; (dot = strchr(dot, '.'));)
		*dot = ':';
}

void pin_path(const char *ifname, const char *name, char path[PIN_PATH_SIZE])
{
	char folder[IF_NAMESIZE];

	folder_of(ifname, folder);
	snprintf(path, PIN_PATH_SIZE, "%s/%s/%s", PIN_PARENT, folder, name);
}

void pin_path_kept(const char *ifname, uint32_t generation, const char *name,
		   char path[PIN_PATH_SIZE])
{
	char folder[IF_NAMESIZE];

	folder_of(ifname, folder);
	snprintf(path, PIN_PATH_SIZE, "%s/%s/kept_%u/%s", PIN_PARENT, folder, generation, name);
}

/* One that is there already may be somebody else's, where bpffs lets everybody make folders. */
static int make_folder(const char *path)
{
	struct stat status;

	if (!mkdir(path, 0700))
		return 0;
	if (errno != EEXIST || lstat(path, &status))
		return -errno;
	if (!S_ISDIR(status.st_mode) || status.st_mode & (S_IWGRP | S_IWOTH) ||
	    (status.st_uid && status.st_uid != geteuid()))
		return -EPERM;
	return 0;
}

int pin_make_folders(const char *ifname)
{
	char folder[PIN_PATH_SIZE];

	pin_path(ifname, "", folder);
	return make_folder(PIN_PARENT) ?: make_folder(folder);
}

void pin_remove_folders(const char *ifname)
{
	char folder[PIN_PATH_SIZE];

	pin_path(ifname, "", folder);
	rmdir(folder);
	rmdir(PIN_PARENT); /* fails, as it should, while another interface is in there */
}
