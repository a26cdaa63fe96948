/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "unpin.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "clock.h"
#include "kern_private.h"
#include "pin_path.h"

/* Of maps that are pinned for bpftool only. */
static bool has_live_owner(const char *ifname)
{
	struct nol_config config;
	char path[PIN_PATH_SIZE];

	pin_path(ifname, "nol_config", path);
	return !kept_read_config(path, &config) && config.netns != kept_netns() &&
	       (int64_t)(clock_monotonic_ns() - config.heartbeat_ns) < (int64_t)config.keep_ns;
}

static void detach(const struct kept *kept)
{
	static const enum kept_link order[] = {KEPT_XDP, KEPT_INGRESS, KEPT_EGRESS};

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		if (kept->links[order[i]] >= 0)
			bpf_link_detach(kept->links[order[i]]);
}

/* 0, or -errno: -ENOENT if there was none. */
static int unpin_all(const char *ifname)
{
	const struct dirent *entry;
	char path[PIN_PATH_SIZE];
	DIR *folder;
	int err = 0;

	pin_path(ifname, "", path);
	folder = opendir(path);
	if (!folder)
		return -errno;
	kept_sweep(ifname, 0);
	while ((entry = readdir(folder)))
		if (entry->d_name[0] != '.' && unlinkat(dirfd(folder), entry->d_name, 0))
			err = -errno;
	closedir(folder);
	pin_remove_folders(ifname);
	return err;
}

int kern_unload(const char *ifname, uint32_t ifindex)
{
	struct kern kern = {.options = {.ifindex = ifindex}};
	enum kept_whose whose;
	bool has_swept;
	int err;

	if (!pin_has_place())
		return -ENOTSUP;
	snprintf(kern.ifname, sizeof(kern.ifname), "%s", ifname);
	err = kept_find(&kern.kept, ifname, ifindex, &whose);
	if (err)
		return err;
	if (whose == KEPT_FOREIGN || (whose == KEPT_NOTHING && has_live_owner(ifname)))
		return -EBUSY;
	if (kern.kept)
		detach(kern.kept);
	has_swept = tc_sweep(&kern);
	kept_free(kern.kept);
	err = unpin_all(ifname);
	return err == -ENOENT && has_swept ? 0 : err;
}
